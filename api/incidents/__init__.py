"""Incidents: the alarms of one basin in one storm."""
