"""Objects that differ between TimescaleDB and plain PostgreSQL, as SQL texts of one name each."""
