"""The nowcast of a space taken apart: its members and what drove them."""
