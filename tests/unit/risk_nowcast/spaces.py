"""Made-up spaces for the inside ensemble."""

from __future__ import annotations

import numpy as np

from risk.nowcast.layout import Layout, Now


def garages(count: int, entrances: int = 1, *, pump_m3_s: float = 0.0) -> Layout:
    """Garages of 2000 m² with 6 m ramps, crests at 0, barriers of 0.5 m, thresholds at 0.15 and 0.30 m inside."""
    n = count * entrances
    return Layout(
        target_m3=np.tile([[300.0], [600.0]], (1, count)),
        pump_m3_s=np.full((count, 1), pump_m3_s),
        pump_on_m3=np.full((count, 1), 60.0),
        pump_off_m3=np.full((count, 1), 20.0),
        ramp_m2=np.zeros(count),
        space=np.repeat(np.arange(count), entrances),
        width_m=np.full(n, 6.0),
        crest_m=np.zeros(n),
        barrier_height_m=np.full(n, 0.5),
        leakage_m3_h_m2=np.full(n, 0.2),
        deploy_min=np.full(n, 4.0),
        barrier_raises_m=np.full(n, 0.5),
        target_level_m=np.full((2, n), np.inf),
    )


def street(layout: Layout, level_m: float, rise_m_min: float = 0.0, *, closed: bool = False) -> Now:
    """The same street in front of every entrance, empty and powered spaces, no rain on the ramps."""
    n, shape = layout.space.size, layout.pump_m3_s.shape
    return Now(
        volume_m3=np.zeros(shape[0]),
        rain_mm_h=np.zeros(shape[0]),
        pump_running=np.zeros(shape, dtype=bool),
        pump_powered=np.ones(shape, dtype=bool),
        outside_m=np.full(n, level_m),
        rise_m_min=np.full(n, rise_m_min),
        closed=np.full(n, closed),
        unseen_m3_min=np.zeros(shape[0]),
    )
