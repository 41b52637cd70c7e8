"""The live stream: server-sent events that resume by tick number."""
