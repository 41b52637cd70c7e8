"""Notifications: what was sent to whom, and what became of it."""
