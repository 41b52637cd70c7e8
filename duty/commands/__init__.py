"""What is typed after `undercroft`: a file for each group of commands."""
