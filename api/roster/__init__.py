"""Who is on duty, who is absent, where the gaps are; imported as a whole, through the one door."""
