"""Small districts for the simulator's tests."""

from __future__ import annotations

from typing import Any

from undercroft.site.model import Site


def a_space(number: int, **changes: Any) -> dict[str, Any]:
    """One car park with an entrance, a barrier, a pump and three devices; levels in m over datum."""
    name = f"garage-{number:02d}"
    space: dict[str, Any] = {
        "id": name,
        "name_zh": "车库",
        "name_en": f"Garage {number}",
        "street": "Lianhua",
        "lat": 22.54,
        "lon": 114.05,
        "kind": "car_park",
        "basin": "north",
        "floor_level_m": 2.0,
        "catchment_m2": 8000.0,
        "storage": [{"depth_m": 0.0, "area_m2": 20.0}, {"depth_m": 0.5, "area_m2": 2000.0}],
        "entrances": [
            {
                "id": "ramp",
                "name_zh": "坡道",
                "name_en": "Ramp",
                "width_m": 6.0,
                "crest_level_m": 5.15 + 0.04 * (number % 6),
                "roadway_level_m": 5.0,
                "barrier": {"height_m": 0.6, "deploy_min": 10.0},
            }
        ],
        "pumps": [{"id": "p1", "capacity_m3_s": 0.02, "on_depth_m": 0.3, "off_depth_m": 0.1}],
        "devices": [
            {"id": f"{name}-out", "sensors": [{"quantity": "water_depth_m", "entrance": "ramp"}]},
            {"id": f"{name}-in", "sensors": [{"quantity": "water_depth_m"}]},
            {"id": f"{name}-bar", "sensors": [{"quantity": "barrier_state", "entrance": "ramp"}]},
            {"id": f"{name}-pump", "sensors": [{"quantity": "pump_running"}, {"quantity": "mains_power"}]},
        ],
    }
    return {**space, **changes}


def a_site(spaces: int = 3, **changes: Any) -> Site:
    """A district of car parks with one rain gauge."""
    return Site.model_validate(
        {
            "district": {"id": "testland", "name_zh": "测试", "name_en": "Testland", "datum": "local"},
            "basin": [{"id": "north", "name_zh": "北", "name_en": "North"}],
            "gauge": [
                {
                    "id": "rain-1",
                    "name_zh": "雨量",
                    "name_en": "Rain 1",
                    "street": "Lianhua",
                    "lat": 22.5,
                    "lon": 114.0,
                    "basin": "north",
                    "devices": [{"id": "rg-1", "sensors": [{"quantity": "rain_total_mm"}]}],
                }
            ],
            "space": [a_space(number, **changes) for number in range(spaces)],
        }
    )
