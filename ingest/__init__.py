"""MQTT to observations: subscribe, decode, batch, commit, and only then acknowledge."""
