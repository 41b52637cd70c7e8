"""One file per dashboard, each with its `DASHBOARD`."""
