"""Embedded PostgreSQL and MQTT broker, and the supervisor of our own processes."""
