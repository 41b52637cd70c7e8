"""Who may act: made, given a new token and disabled by an admin, through the one door."""
