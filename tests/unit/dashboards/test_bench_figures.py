"""Figures of `undercroft bench query`: every stretch of days has its own, beside those of a plain database."""

from __future__ import annotations

from dashboards.bench import beside, figures_of


def test_every_stretch_is_told_beside_the_plain_database() -> None:
    ours = figures_of(
        [7, 90], [{"flags": [10.0] * 20, "why": [1.0] * 20}, {"flags": [12.0] * 20, "why": [1.0] * 20}], [10.0, 8.0]
    )
    plain = figures_of(
        [7, 90], [{"flags": [30.0] * 20, "why": [1.0] * 20}, {"flags": [36.0] * 20, "why": [1.0] * 20}], [160.0, 120.0]
    )
    figures = {figure.name: figure for figure in [*ours, *beside(ours, plain, [7, 90])]}
    values = {name: round(figure.value, 3) for name, figure in figures.items()}
    # 12 + 1 ms after 90 days for 10 + 1 ms after 7; `why` is too short to be told as what grew most.
    assert values["growth"] == 1.182
    assert (values["growth_most"], figures["growth_most"].limit_name.split()[0]) == (1.2, "flags")
    assert (values["slowest_7d"], values["slowest_90d"]) == (10.0, 12.0)
    assert (values["times_smaller_7d"], values["times_smaller_90d"]) == (16.0, 15.0)
    assert (values["plain_flags"], figures["plain_flags"].limit) == (36.0, 12.0)
    assert (values["plain_medians_7d"], figures["plain_medians_7d"].limit) == (31.0, 11.0)
    assert not [figure.name for figure in figures.values() if figure.name.startswith("plain_") and figure.is_held]
