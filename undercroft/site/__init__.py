"""Site data: ``site.toml`` read, checked, and imported."""
