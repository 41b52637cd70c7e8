"""Dead letters: seen, tried again after a mend, dropped; each act with its author."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64encode
from contextlib import closing
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from ingest.batch import Message
from ingest.reasons import Reason
from ingest.writer import BatchWriter
from tests.integration.ingest_kit import one, query
from tests.property.odd_json import TEXTS, as_on_a_lane
from undercroft.quality import QualityTest
from undercroft.store.connection import connect

NOON_US = 1_782_907_200_000_000
TOPIC = "flood/v1/futian/gauge-beiling/gauge-beiling-rain/observation"
RETIRE = "update sensor set retired_at = now() where device_id = 'gauge-beiling-rain' and quantity = 'battery_v'"
RETURN = "update sensor set retired_at = null where device_id = 'gauge-beiling-rain' and quantity = 'battery_v'"


def administer(database: str, statement: str) -> None:
    with closing(connect(database, application_name="test", autocommit=True)) as connection:
        connection.execute(statement)


def message(second: int, quantity: str = "battery_v", value: object = 3.5) -> Message:
    payload = json.dumps({"observed_at": NOON_US // 1000 + second * 1000, quantity: value}).encode()
    return Message(TOPIC.encode(), payload, 1, 1, False, NOON_US)


def deadletter(database: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "undercroft", "deadletter", *arguments],
        env={"UNDERCROFT_DATABASE_URL": database, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def answer(database: str, *arguments: str) -> Any:
    done = deadletter(database, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_retry_after_a_mend_stores_the_readings(database: str, writer: BatchWriter) -> None:
    administer(database, RETIRE)
    writer.write([message(1), message(2), message(3, "colour")])
    writer.close()
    listed = answer(database, "list", "--reason", "unknown_sensor", "--device", "gauge-beiling-rain")
    assert [(row["reason"], row["times_seen"], row["state"]) for row in listed] == [("unknown_sensor", 1, "open")] * 2
    assert answer(database, "retry", "--reason", "unknown_sensor") == {"still_dead": 2}
    administer(database, RETURN)
    assert answer(database, "retry", "--device", "gauge-beiling-rain", "--author", "lin") == {
        "stored": 2,
        "still_dead": 1,
    }
    rows = query(database, "select value, received_at from observation")
    assert [row["value"] for row in rows] == [3.5, 3.5]
    assert {row["received_at"] for row in rows} == {datetime(2026, 7, 1, 12, tzinfo=UTC)}
    assert one(database, "select count(*) from batch where lane = 'deadletter'") == 2
    states = query(database, "select reason, state, settled_by from dead_letter order by dead_letter_id")
    assert [tuple(row.values()) for row in states] == [
        ("unknown_sensor", "retried", "lin"),
        ("unknown_sensor", "retried", "lin"),
        ("unknown_quantity", "open", None),
    ]
    again = answer(database, "retry", *(str(row["dead_letter_id"]) for row in listed))
    assert again == {"settled": 2}


def test_letters_of_one_receipt_are_tried_in_the_order_sent(database: str, writer: BatchWriter) -> None:
    """288 readings of a buffer, in batches of 100; none of them is late behind another."""
    administer(database, RETIRE)
    buffered = [message(second * 300, value=3.5 + second / 1000) for second in range(288)]
    for start in range(0, 288, 100):
        writer.write(buffered[start : start + 100])
    writer.close()
    administer(database, RETURN)
    assert answer(database, "retry", "--reason", "unknown_sensor") == {"stored": 288}
    tests = query(database, "select distinct quality_tests & 1024 as late from observation")
    assert (tests, int(QualityTest.LATE)) == ([{"late": 0}], 1024)


def test_the_longest_pack_that_ingest_reads_is_kept_whole_until_its_sensor_is_there(
    database: str, writer: BatchWriter
) -> None:
    """1,500 readings padded to 262,144 bytes; one byte more is no pack but `too_large`, and cut."""
    administer(database, RETIRE)
    readings = [{"observed_at": NOON_US // 1000 - n * 1000, "battery_v": 3.5} for n in range(1_500)]
    pack = json.dumps({"readings": readings}).encode().ljust(262_144)
    writer.write([message(1, "battery_v")._replace(payload=payload) for payload in (pack, pack + b" ")])
    writer.close()
    administer(database, RETURN)
    listed = deadletter(database, "list", "--json", "--most", "1")
    counted, held = listed.stderr.splitlines()
    assert (len(json.loads(listed.stdout)), counted) == (1, "1 of 2 dead letters, the newest; more: --most")
    assert held == "in all 2 open, at most 1000000; 0.5 MiB, at most 2048"
    assert "in_all" not in json.loads(listed.stdout)[0]
    assert answer(database, "retry", "--since", "2026-07-01T00:00:00Z") == {"stored": 1, "cut": 1}
    assert one(database, "select count(*) from observation") == 1_500


def test_what_a_retry_cannot_store_is_a_letter_again(database: str, writer: BatchWriter) -> None:
    """A device that came with one of its sensors, and one that came at another place."""
    retire = "update {} set retired_at = now() where device_id = 'gauge-beiling-rain'"
    administer(database, retire.format("sensor") + ";" + retire.format("device"))
    both = json.dumps({"observed_at": NOON_US // 1000, "rain_total_mm": 0.42, "battery_v": 3.5}).encode()
    elsewhere = TOPIC.replace("beiling/", "rongxi/").encode()
    message_of_both = message(1)._replace(payload=both)
    writer.write([message_of_both, message(2)._replace(topic=elsewhere)])
    administer(database, retire.format("device").replace("now()", "null") + ";" + RETURN)
    assert answer(database, "retry", "--reason", "unknown_device") == {"other_reason": 2}
    letters = query(database, "select reason, state from dead_letter")
    assert sorted(tuple(row.values()) for row in letters) == [
        ("topic_mismatch", "open"),
        ("unknown_device", "retried"),
        ("unknown_device", "retried"),
        ("unknown_sensor", "open"),
    ]
    assert [row["value"] for row in query(database, "select value from observation")] == [3.5]
    assert one(database, "select sum(dead_letters) from batch where lane = 'deadletter'") == 2

    administer(database, "update sensor set retired_at = null where device_id = 'gauge-beiling-rain'")
    assert answer(database, "retry", "--reason", "unknown_sensor") == {"stored": 1}
    assert one(database, "select count(*) from observation where value = 0.42") == 1


def test_a_letter_that_the_database_refuses_stops_no_other(database: str, writer: BatchWriter) -> None:
    administer(database, RETIRE)
    writer.write([message(1), message(2, value=1.5), message(3)])
    administer(
        database, RETURN + ";alter table observation_packed add constraint no_poison check (value_thousandths <> 1500)"
    )
    assert answer(database, "retry", "--reason", "unknown_sensor") == {"stored": 2, "other_reason": 1}
    (row,) = answer(database, "list", "--reason", "store_rejected")
    assert "no_poison" in row["detail"]
    assert answer(database, "retry", str(row["dead_letter_id"])) == {"still_dead": 1}
    assert one(database, "select count(*) from batch where lane = 'deadletter'") == 3

    retried = one(database, "select min(dead_letter_id) from dead_letter")
    assert answer(database, "drop", str(retried), "--author", "wang") == {"settled": 1}
    assert one(database, "select state from dead_letter where dead_letter_id = %s", retried) == "retried"
    assert answer(database, "drop", str(row["dead_letter_id"])) == {"dropped": 1}


def test_a_letter_that_comes_again_is_open_again(database: str, writer: BatchWriter) -> None:
    writer.write([message(1, "colour")])
    assert answer(database, "drop", "--reason", "unknown_quantity", "--author", "lin") == {"dropped": 1}
    assert answer(database, "list") == []
    assert [row["state"] for row in answer(database, "list", "--state", "any")] == ["dropped"]
    assert "(dropped by lin)" in deadletter(database, "list", "--state", "any").stdout
    writer.write([message(1, "colour")])
    (row,) = answer(database, "list")
    assert (row["state"], row["times_seen"]) == ("open", 2)
    shown = answer(database, "show", str(row["dead_letter_id"]))
    assert json.loads(shown["payload"])["colour"] == 3.5


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["show", "7"], "there is no dead letter 7"),
        (["retry"], "name the letters"),
        (["drop", "7"], "there is no dead letter 7"),
        (["list", "--since", "yesterday"], "expected RFC 3339"),
        (["list", "--reason", "boredom"], "boredom"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(database: str, arguments: list[str], complaint: str) -> None:
    done = deadletter(database, *arguments)
    assert done.returncode == 2
    assert complaint in done.stderr


def test_times_bound_the_list(database: str, writer: BatchWriter) -> None:
    writer.write([message(1, "colour")])
    assert len(answer(database, "list", "--since", "2026-07-01T12:00:00Z")) == 1
    assert answer(database, "list", "--since", "2026-07-01T12:00:01Z") == []
    assert answer(database, "list", "--until", "2026-07-01T12:00:00Z") == []


def test_a_topic_longer_than_an_index_holds_is_a_letter_and_holds_up_nobody(writer: BatchWriter, database: str) -> None:
    noise = b64encode(Random(1).randbytes(30_000)).replace(b"/", b"-")
    long = Message(b"flood/v1/" + noise + b"/p/d/observation", b"{}", 2, 1, False, NOON_US)
    writer.write([message(1), long, message(2), long._replace(topic=long.topic.replace(b"/p/", b"/q/"))])
    assert one(database, "select count(*) from observation") == 2
    letters = query(database, "select topic, reason from dead_letter")
    assert len(letters) == 2, "two topics that begin alike are two letters"
    assert all(len(row["topic"]) < 1100 and "sha256" in row["topic"] for row in letters)


def test_no_payload_stops_the_writer(writer: BatchWriter, database: str) -> None:
    """Whatever a reading object holds: the batch is committed, and each odd message is a letter or rows."""
    keys = ("observed_at", "seq", "at", "rain_total_mm", "rain_depth_mm", "period_s", "readings", "colour")
    sound = {"observed_at": str(NOON_US // 1000), "rain_total_mm": "0.5"}
    bodies = [sound | {key: text} for key in keys for text in TEXTS]
    payloads = [("{" + ", ".join(f'"{key}": {text}' for key, text in body.items()) + "}").encode() for body in bodies]
    payloads += [text.encode() for text in TEXTS]
    with as_on_a_lane():
        written = writer.write([Message(TOPIC.encode(), payload, 1, 1, False, NOON_US) for payload in payloads])
    assert written.record.messages == len(payloads)
    assert set(written.reasons) <= set(Reason) - {Reason.DECODER_FAILED, Reason.STORE_REJECTED}
    assert one(database, "select count(*) from dead_letter") == written.record.dead_letters > len(payloads) / 2


def test_what_a_device_wrote_does_nothing_to_a_terminal(database: str, writer: BatchWriter) -> None:
    """Clears the screen, turns the line round, fakes a line: shown as JSON writes it, Chinese as it is."""
    odd = b"\x1b[2J\nstate: dropped \xe2\x80\xae \xe6\xb0\xb4"
    writer.write([Message(TOPIC.replace("beiling", "\u202e\u009b\u6c34").encode(), odd, 1, 1, False, NOON_US)])
    number = str(one(database, "select dead_letter_id from dead_letter"))
    for arguments in (("list",), ("show", number), ("list", "--json"), ("show", number, "--json")):
        shown = deadletter(database, *arguments).stdout
        assert all(character.isprintable() for line in shown.split("\n") for character in line)
        assert "\\u202e\\u009b\u6c34" in shown
    assert "payload: \\u001b[2J\\nstate: dropped \\u202e \u6c34\n" in deadletter(database, "show", number).stdout
    assert answer(database, "show", number)["payload"] == odd.decode()


def test_an_old_state_retried_takes_its_place_in_history(database: str, writer: BatchWriter) -> None:
    """Its letter is older than what the device said since; what holds now does not change, and it is stored once."""
    retired = "update sensor set retired_at = now() where device_id = 'gauge-beiling-rain' and quantity = 'online'"
    topic = TOPIC.replace("observation", "status").encode()

    def state(second: int, is_online: bool) -> Message:
        received_us = NOON_US + second * 1_000_000
        return Message(topic, b'{"online": %s}' % str(is_online).lower().encode(), second + 1, 1, False, received_us)

    writer.write([state(0, True)])
    administer(database, retired)
    writer.close()
    writer.write([state(5, False)])
    administer(database, retired.replace("now()", "null"))
    writer.close()
    writer.write([state(9, True), state(10, False), state(11, True)])
    writer.write([state(second, second != 10)._replace(is_again=True) for second in (9, 10, 11)])
    assert answer(database, "retry", "--reason", "unknown_sensor") == {"stored": 1}
    rows = query(database, "select observed_at, value, quality_tests from observation order by observed_at")
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert [((row["observed_at"] - noon).seconds, row["value"], row["quality_tests"]) for row in rows] == [
        (0, 1.0, 0), (5, 0.0, QualityTest.LATE), (10, 0.0, 0), (11, 1.0, 0)
    ]  # fmt: skip
