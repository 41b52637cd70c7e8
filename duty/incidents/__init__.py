"""Incidents: alarms of one basin and storm gathered from the alarm log, and how much they ask of the operators."""
