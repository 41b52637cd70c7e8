"""``undercroft bench ingest``: how fast readings come from a real broker into a real database."""
