"""Measured street floods of New York's FloodNet as a run: its CSV files, a district for them, their readings."""

from simulators.floodnet.day import FloodDay, flood_day
from simulators.floodnet.events import NEW_YORK, FloodEvent, FloodSensor, read_events, read_sensors
from simulators.floodnet.run import floodnet_run
from simulators.floodnet.site import DISTRICT, device_id, floodnet_site

__all__ = [
    "DISTRICT",
    "NEW_YORK",
    "FloodDay",
    "FloodEvent",
    "FloodSensor",
    "device_id",
    "flood_day",
    "floodnet_run",
    "floodnet_site",
    "read_events",
    "read_sensors",
]
