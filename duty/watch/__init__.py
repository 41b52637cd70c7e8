"""The dead-man, a process of its own that tells when another falls silent."""
