"""What a committed batch adds to the counters."""

from __future__ import annotations

from collections import Counter

from ingest.metrics import Metrics
from ingest.reasons import Reason
from ingest.writer import Written
from undercroft.store.observations import BatchRecord

RECORD = BatchRecord(
    lane="observation",
    messages=100,
    redelivered=7,
    readings=90,
    stored=60,
    duplicates=25,
    conflicts=5,
    dead_letters=11,
)


def _sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"undercroft_ingest_{name}", {"lane": "observation", **labels})


def _series(metrics: Metrics) -> set[tuple[str, ...]]:
    return {
        (sample.name, *sorted(sample.labels.values()))
        for family in metrics.registry.collect()
        for sample in family.samples
    }


def test_each_count_of_a_batch_has_its_counter() -> None:
    metrics = Metrics()
    written = Written(1, RECORD, Counter({"not_json": 8, "no_timestamp": 4}))
    metrics.note("observation", written, 0.03)
    metrics.note("observation", written, 0.3)
    counted = {
        "messages_received_total": 200,
        "messages_redelivered_total": 14,
        "readings_decoded_total": 180,
        "readings_stored_total": 120,
        "readings_duplicate_total": 50,
        "readings_conflicting_total": 10,
    }
    assert {name: _sample(metrics, name) for name in counted} == counted
    assert _sample(metrics, "dead_lettered_total", reason="not_json") == 16
    assert _sample(metrics, "dead_lettered_total", reason="no_timestamp") == 8


def test_a_commit_stands_in_the_first_bucket_that_holds_it() -> None:
    metrics = Metrics()
    metrics.note("observation", Written(1, RECORD, Counter()), 0.03)
    metrics.note("observation", Written(2, RECORD, Counter()), 0.3)
    assert [_sample(metrics, "commit_seconds_bucket", le=le) for le in ("0.02", "0.05", "0.2", "0.5", "+Inf")] == [
        0,
        1,
        1,
        2,
        2,
    ]
    assert _sample(metrics, "commit_seconds_sum") == 0.03 + 0.3


def test_the_counts_of_a_lane_are_there_before_its_first_batch() -> None:
    """A series that begins at 1 is no increase to Prometheus."""
    metrics = Metrics()
    metrics.watch("observation", lambda: 0, lambda: 0, lambda: 0)
    written = Written(1, RECORD, Counter({reason.value: 1 for reason in Reason}))
    before = _series(metrics)
    metrics.note("observation", written, 0.03)
    assert _series(metrics) == before
    assert _sample(metrics, "messages_acknowledged_total") == 0
