"""What was to be done and is not: orders and reports whose time is over, what stays undone after "mine"."""
