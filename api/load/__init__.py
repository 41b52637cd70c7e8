"""How much the alarms ask of who is on duty."""
