"""Floods of the past as an input of the engine: what followed moments like this one."""
