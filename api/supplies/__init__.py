"""Supplies: who could send what where, who moved what; and which spaces come first."""
