"""Emergency supplies: what each entrance needs, what is there, what is short, and who should send what where."""
