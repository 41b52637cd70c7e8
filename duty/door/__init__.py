"""The one door: who comes through, what the body of an act must say, and why one is refused."""
