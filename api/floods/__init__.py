"""Libraries of past floods: which there are, and which one is in use."""
