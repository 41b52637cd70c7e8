"""The risk engine: evidence in, safety levels, scores and alarms out. Pure but for its run loop."""
