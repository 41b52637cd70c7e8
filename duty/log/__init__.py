"""The duty log: entries that each hash the one before; heads signed every hour, and keys, kept outside the database."""
