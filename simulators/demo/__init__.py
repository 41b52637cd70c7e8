"""The demonstration: the whole chain on a scenario, over real MQTT and a real database, and its report."""
