"""``undercroft doctor``: is this deployment as it should be? Each check says what it saw and what to do."""
