"""The SL 651 gateway confirms what the broker has, over real sockets with a broker that can be told what to do."""

from __future__ import annotations

import selectors

from ingest.foreign.sl651_frame import Ending, confirmation, parse_frame
from ingest.gateway.sl651 import Limits
from tests.integration.gateway_kit import (
    STATION,
    FakeBroker,
    answer,
    frame,
    gateway_of,
    station_of,
)
from tests.integration.ingest_kit import wait_until


def test_a_frame_is_published_as_it_is_and_then_confirmed() -> None:
    broker = FakeBroker()
    with gateway_of(broker) as gateway, station_of(gateway) as station:
        station.sendall(frame(1))

        assert answer(station) == confirmation(parse_frame(frame(1)), Ending.EOT)
        assert broker.taken == [(f"sl651/v1/{STATION}", frame(1))]


def test_no_confirmation_before_the_broker_has_it() -> None:
    broker = FakeBroker()
    broker.answers.clear()
    with gateway_of(broker) as gateway, station_of(gateway) as station:
        station.sendall(frame(1))
        wait_until(lambda: len(broker.taken) == 1, "published")
        with selectors.DefaultSelector() as selector:
            selector.register(station, selectors.EVENT_READ)
            assert selector.select(0.2) == []
        broker.answers.set()

        assert answer(station)[-3] == Ending.EOT.value


def test_a_broker_that_does_not_answer_leaves_the_station_unconfirmed_and_on_line() -> None:
    broker = FakeBroker()
    broker.answers.clear()
    with gateway_of(broker, limits=Limits(confirm_s=0.05)) as gateway, station_of(gateway) as station:
        station.sendall(frame(1))
        wait_until(lambda: gateway.counts["not_confirmed"] == 1, "given up")
        broker.answers.set()
        station.sendall(frame(1))

        assert answer(station) == confirmation(parse_frame(frame(1)), Ending.EOT)
        wait_until(lambda: gateway.counts["confirmed"] == 1, "counted")


def test_partial_frames_and_garbage_around_them() -> None:
    broker = FakeBroker()
    with gateway_of(broker) as gateway, station_of(gateway) as station:
        broken = bytearray(frame(2))
        broken[20] ^= 0xFF
        stream = b"\x00\xffGET / HTTP/1.1\r\n" + frame(1) + bytes(broken) + b"\x7e" + frame(3)
        for byte in stream:
            station.sendall(bytes([byte]))

        assert answer(station, 50)[14:16] == (1).to_bytes(2)
        assert [payload for _, payload in broker.taken] == [frame(1), frame(3)]
        assert gateway.counts["broken_frames"] >= 1


def test_keep_alives_are_neither_published_nor_confirmed() -> None:
    broker = FakeBroker()
    with gateway_of(broker) as gateway, station_of(gateway) as station:
        station.sendall(frame(1, function=0x2F) + frame(2))

        assert answer(station)[14:16] == (2).to_bytes(2)
        assert [payload for _, payload in broker.taken] == [frame(2)]
        assert gateway.counts["keep_alives"] == 1
