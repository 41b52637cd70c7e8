"""Underground spaces, ranked worst first, and what was measured there."""
