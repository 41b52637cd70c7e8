"""What comes next: the outside level from the floods of the past, the inside of each space by its water balance."""
