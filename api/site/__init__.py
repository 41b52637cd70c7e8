"""The district: names, mode, datum."""
