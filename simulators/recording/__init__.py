"""Recordings: raw MQTT messages with their arrival times, kept as JSON Lines and played back into an exercise."""
