"""Who may send to the SL 651 gateway, from where, how many, and what costs a station its connection."""

from __future__ import annotations

import socket
from ipaddress import ip_network

import pytest

from ingest.gateway.sl651 import Limits, Rules
from tests.integration.gateway_kit import (
    STATION,
    FakeBroker,
    answer,
    frame,
    gateway_of,
    station_of,
)
from tests.integration.ingest_kit import wait_until


def test_a_station_that_is_not_on_the_list_is_put_off() -> None:
    broker = FakeBroker()
    with gateway_of(broker) as gateway, station_of(gateway) as station:
        station.sendall(frame(1, station="0012345679"))

        assert answer(station) == b""
        assert broker.taken == []
        wait_until(lambda: gateway.counts["refused_station"] == 1, "counted")


def test_a_network_that_is_not_on_the_list_is_put_off() -> None:
    rules = Rules(frozenset({STATION}), (ip_network("10.0.0.0/8"),))
    with gateway_of(FakeBroker(), rules) as gateway, station_of(gateway) as station:
        assert answer(station) == b""
        wait_until(lambda: gateway.counts["refused_network"] == 1, "counted")


def test_one_connection_too_many_is_closed_and_room_comes_back() -> None:
    with gateway_of(FakeBroker(), limits=Limits(connections=2)) as gateway:
        first, second = station_of(gateway), station_of(gateway)
        wait_until(lambda: gateway.counts["connections"] == 2, "both in")
        with station_of(gateway) as third:
            assert answer(third) == b""
        first.close()
        wait_until(lambda: len(gateway._open) == 1, "first is out")
        with station_of(gateway) as fourth:
            fourth.sendall(frame(1))
            assert len(answer(fourth)) == 25
        second.close()
        assert gateway.counts["refused_full"] == 1


@pytest.mark.parametrize(
    ("sent", "limits", "why"),
    [
        (frame(1)[:20], Limits(frame_s=0.1), "too_slow"),
        (b"", Limits(idle_s=0.1), "idle"),
        (b"x" * 5000, Limits(garbage_bytes=4000), "garbage"),
    ],
)
def test_stations_that_waste_a_connection_lose_it(sent: bytes, limits: Limits, why: str) -> None:
    with gateway_of(FakeBroker(), limits=limits) as gateway, station_of(gateway) as station:
        station.sendall(sent)

        assert answer(station) == b""
        wait_until(lambda: gateway.counts[why] == 1, why)


def test_bytes_that_trickle_do_not_extend_the_time_of_a_frame() -> None:
    with gateway_of(FakeBroker(), limits=Limits(frame_s=0.3, idle_s=60)) as gateway, station_of(gateway) as station:
        station.sendall(frame(1)[:3])
        trickle = iter(frame(1)[3:-1] * 1000)

        def is_out() -> bool:
            try:
                station.sendall(bytes([next(trickle)]))
            except OSError:
                return True
            return gateway.counts["too_slow"] == 1

        wait_until(is_out, "out")


def test_a_garbled_length_does_not_deafen_a_station() -> None:
    """The frames after it are confirmed, each as it comes, on the same connection."""
    with gateway_of(FakeBroker()) as gateway, station_of(gateway) as station:
        station.sendall(frame(1)[:11] + b"\x0f\xff" + frame(1)[13:])
        for serial in (2, 3):
            station.sendall(frame(serial))
            assert answer(station)[14:16] == serial.to_bytes(2)
        assert (gateway.counts["broken_frames"], gateway.counts["too_slow"]) == (1, 0)


def test_a_station_that_takes_no_answers_holds_up_nobody() -> None:
    broker = FakeBroker()
    with (
        gateway_of(broker, limits=Limits(send_s=0.2)) as gateway,
        station_of(gateway) as deaf,
        station_of(gateway) as other,
    ):
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        deaf.sendall(frame(1) * 50)
        other.sendall(frame(7))

        assert answer(other)[14:16] == (7).to_bytes(2)


# With the command, a real broker, ingest and the database
