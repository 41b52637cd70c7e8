"""Orders as they stand; `api.acts` issues them and moves them on."""
