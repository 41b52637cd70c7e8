"""Shared vocabulary of Undercroft: nouns, quantities, quality flags, clock, errors, settings and the store."""

__version__ = "0.1.0"
