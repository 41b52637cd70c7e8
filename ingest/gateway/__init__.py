"""Gateways: what does not speak MQTT reaches the broker through them, and is confirmed only when the broker has it."""
