"""Alarms and what happened to them."""
