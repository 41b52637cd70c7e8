"""Storms, the EPA SWMM district, virtual sensors, recorded feeds, scenarios and the demonstration."""
