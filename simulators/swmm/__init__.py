"""A district as an EPA SWMM model: streets that pond, drains that are too small, entrances, spaces, pumps."""
