"""What people do to alarms, devices, warnings and supplies, and what they report from the spot."""
