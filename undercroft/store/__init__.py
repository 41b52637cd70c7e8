"""PostgreSQL: the only package that imports psycopg. SQL lives in ``sql/*.sql`` by name."""
