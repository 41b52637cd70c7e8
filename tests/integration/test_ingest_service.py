"""What becomes of messages, on real brokers: the embedded one, and Mosquitto. Each reading has one place."""

from __future__ import annotations

from contextlib import closing, suppress

from tests.integration.ingest_kit import Mosquitto, Publisher, ingest_of, one, publishing, query, wait_until
from tests.integration.ingest_messages import DEVICE, NOON_MS, WAITING, messages_of, rain
from undercroft.store.connection import connect


def test_messages_become_rows_letters_and_conflicts(live: str, any_broker: str) -> None:
    root = f"flood/v1/futian/{DEVICE}"
    with ingest_of(live, any_broker) as ingest, publishing(any_broker) as publisher:
        ingest.start()
        publisher.publish(
            [
                rain(1),
                rain(1),
                rain(1, 9.0),
                rain(1, 9.0),
                rain(2),
                (f"{root}/event", b'{"observed_at": "2026-07-01T20:00:05+08:00", "battery_v": 3.5}'),
                (f"{root}/observation", b"\xff"),
                (f"{root}/observation", b'{"rain_total_mm": 5}'),
                (f"{root}/observation", b'{"observed_at": %d, "rain_total_mm": NaN}' % NOON_MS),
                (f"{root}/observation", b'{"observed_at": %d, "colour": 5, "rain_total_mm": 5}' % (NOON_MS + 3000)),
                ("flood/v1/futian/gauge-beiling/nobody/observation", rain(1)[1]),
                (f"{root}/observations", rain(1)[1]),
                (f"flood/v1/{DEVICE}", rain(1)[1]),
                (f"{root}/status", b'{"online": true}'),
                (f"{root}/status", b'{"online": true}'),
                (f"{root}/status", b'{"online": false}'),
            ]
        )
        wait_until(lambda: messages_of(live) >= 16, "16 messages are committed")
        assert ingest.stop() == 0
    rows = query(live, "select quantity, value from observation join sensor using (sensor_id) order by 1, observed_at")
    assert [tuple(row.values()) for row in rows] == [
        ("battery_v", 3.5),
        ("online", 1.0),
        ("online", 0.0),
        ("rain_total_mm", 1.5),
        ("rain_total_mm", 1.5),
        ("rain_total_mm", 5.0),
    ]
    assert [row["value"] for row in query(live, "select value from observation_conflict")] == [9.0]
    letters = query(
        live, "select reason, detail, device_id, times_seen from dead_letter order by reason, device_id nulls first"
    )
    assert [(row["reason"], row["device_id"]) for row in letters[:2]] == [
        ("bad_topic", None),
        ("bad_topic", DEVICE.split("/")[1]),
    ]
    assert [row["reason"] for row in letters[2:]] == [
        "no_timestamp",
        "not_finite",
        "not_utf8",
        "unknown_device",
        "unknown_quantity",
    ]
    assert {row["times_seen"] for row in letters} == {1}
    totals = query(
        live,
        "select sum(messages)::int m, sum(readings)::int r, sum(stored)::int s, sum(duplicates)::int d,"
        " sum(conflicts)::int c, sum(dead_letters)::int l, sum(redelivered)::int again from batch",
    )[0]
    assert totals == {"m": 16, "r": 10, "s": 6, "d": 3, "c": 1, "l": 7, "again": 3}


def test_the_session_outlives_a_stop(live: str, any_broker: str) -> None:
    with ingest_of(live, any_broker) as ingest, publishing(any_broker) as publisher:
        ingest.start()
        publisher.publish([rain(1)])
        wait_until(lambda: messages_of(live) == 1, "the first message is committed")
        assert ingest.stop() == 0
        publisher.publish(rain(number) for number in range(2, 102))
        ingest.start()
        wait_until(lambda: messages_of(live) == 101, "what came meanwhile is committed")
        assert ingest.stop() == 0
    assert one(live, "select sum(redelivered)::int from batch") == 0


def test_a_lost_clock_is_stored_at_receipt_once_and_suspect(live: str, any_broker: str) -> None:
    topic = f"flood/v1/futian/{DEVICE}/observation"
    lost = [
        (topic, b'{"observed_at": "1970-01-01T00:00:07Z", "rain_total_mm": 2.0}'),
        (topic, b'{"observed_at": "2100-01-01T00:00:00Z", "rain_total_mm": 3.0}'),
        (topic, b'{"observed_at": "1970-01-01T00:00:08Z", "rain_total_mm": 2.0}'),
    ]
    with ingest_of(live, any_broker) as ingest, publishing(any_broker) as publisher:
        ingest.start()
        publisher.publish(lost)
        wait_until(lambda: messages_of(live) == 3, "committed")
        publisher.publish(lost[-1:])
        wait_until(lambda: messages_of(live) == 4, "what was said last is committed again")
        assert ingest.stop() == 0
    rows = query(
        live,
        "select value, quality, quality_tests, extract(epoch from observed_at - received_at)::float8 as off"
        " from observation order by observed_at",
    )
    assert [row["value"] for row in rows] == [2.0, 3.0, 2.0]
    assert {(row["quality"], row["quality_tests"]) for row in rows} == {(3, 1)}
    assert all(0 <= row["off"] < 0.001 for row in rows)
    assert one(live, "select sum(redelivered)::int from batch") == 1


def test_a_payload_that_is_too_large_stops_nothing(live: str, any_broker: str) -> None:
    topic = f"flood/v1/futian/{DEVICE}/observation"
    head = b"\x00" + bytes([len(topic)]) + topic.encode() + b"\x00\x01"
    size = len(head) + 10_000_000
    packet = b"\x32" + bytes([size & 127 | 128, size >> 7 & 127 | 128, size >> 14 & 127 | 128, size >> 21]) + head
    with ingest_of(live, any_broker) as ingest:
        ingest.start()
        vandal = Publisher(any_broker, "vandal")
        with suppress(OSError):  # rumqttd hangs up; Mosquitto swallows it
            vandal.send_raw(packet + b" " * 10_000_000)
        vandal.abandon()
        with publishing(any_broker) as publisher:
            publisher.publish([rain(2)])
        wait_until(lambda: one(live, "select count(*) from observation") == 1, "the next message is stored")
        assert ingest.stop() == 0
    assert one(live, "select count(*) from dead_letter") == 0


def test_ingest_waits_for_the_broker_to_come_back(live: str, mosquitto: Mosquitto) -> None:
    with ingest_of(live, mosquitto.url) as ingest:
        ingest.start()
        mosquitto.stop()
        mosquitto.start()
        with publishing(mosquitto.url) as publisher:
            publisher.publish(rain(number) for number in range(200))
        wait_until(lambda: one(live, "select count(*) from observation") == 200, "all is stored")
        assert ingest.stop() == 0


def test_the_event_lane_does_not_wait_for_the_observation_lane(live: str, broker: str) -> None:
    """A row that the test has inserted and not committed holds up the batch of the observation lane."""
    insert = (
        "insert into observation select sensor_id, to_timestamp(%s), 1.5, 1, 0, now(), 0 from sensor"
        " where device_id = 'gauge-beiling-rain' and quantity = 'rain_total_mm'"
    )
    with (
        ingest_of(live, broker) as ingest,
        publishing(broker) as publisher,
        closing(connect(live, application_name="test")) as holder,
    ):
        # The first reading of a day makes its chunk on TimescaleDB, and whoever makes one is waited for.
        holder.execute(insert, (NOON_MS / 1000 - 60,))
        holder.commit()
        ingest.start()
        holder.execute(insert, (NOON_MS / 1000 + 1,))
        publisher.publish([rain(1)])
        wait_until(lambda: one(live, WAITING) == 1, "the observation lane waits")
        publisher.publish([(f"flood/v1/futian/{DEVICE}/event", rain(2)[1])])
        wait_until(lambda: messages_of(live) == 1, "the event is committed")
        assert query(live, "select lane, stored from batch") == [{"lane": "event", "stored": 1}]
        holder.rollback()
        wait_until(lambda: messages_of(live) == 2, "the observation is committed")
        assert ingest.stop() == 0
    assert one(live, "select sum(stored)::int from batch") == 2
