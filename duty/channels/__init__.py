"""What waits for a channel: its queue and worker, the merging of messages, trying again, a channel that refuses."""
