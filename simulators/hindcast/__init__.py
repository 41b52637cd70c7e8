"""Storms whose truth is known: SWMM makes the water, virtual sensors report it, the engine's own tick decides."""
