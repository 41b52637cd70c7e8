"""What is known under a packet identifier holds while its message may be in flight, and no longer."""

from __future__ import annotations

from ingest.batch import Message
from ingest.session_numbers import SessionNumbers
from undercroft.store.receipts import Arrival, Kept, place_receipts
from undercroft.store.states import Delivered, Delivery, State, is_known

TEN_US, TWENTY_PAST_NINE_US = 1_782_900_000_000_000, 1_782_897_600_000_000


def came(*mids: int, is_again: bool = False) -> list[Message]:
    return [Message(b"t", b"", mid, min(mid, 1), False, TEN_US, is_again) for mid in mids]


def test_after_what_comes_again_with_a_connection_all_else_is_forgotten() -> None:
    numbers = SessionNumbers(4)
    first = came(7, is_again=True)
    assert numbers.to_keep(first) is None, "more may come again"
    numbers.took(first, [7])
    both = [*came(8, is_again=True), *came(0), *came(9)]
    assert numbers.to_keep(came(8, is_again=True) + came(0)) is None, "QoS 0 says nothing"
    assert numbers.to_keep(both) == {7, 8}
    numbers.forgot({7, 8})
    assert numbers.to_keep(both) is None, "written again it forgets nothing more"


def test_on_one_connection_a_number_is_forgotten_after_one_to_two_rounds_of_messages() -> None:
    numbers = SessionNumbers(4)
    numbers.forgot([])
    forgotten_at: dict[int, int] = {}
    known: set[int] = set()
    for mid in range(1, 20):
        kept = numbers.to_keep(came(mid))
        if kept is not None:
            forgotten_at |= {old: mid - old for old in known - set(kept)}
            known &= set(kept)
            numbers.forgot(kept)
        numbers.took(came(mid), [mid])
        known.add(mid)
    assert set(forgotten_at.values()) == {5, 6, 7, 8}


def test_a_clock_that_was_set_back_makes_no_new_message_known() -> None:
    """Kept at 10:00, the clock set back, and at 9:20 another message with the same bytes has the same number."""
    at_ten = Arrival(1, False, b"d" * 16, TEN_US, TEN_US)
    later = at_ten._replace(received_us=TWENTY_PAST_NINE_US, base_us=TWENTY_PAST_NINE_US)
    kept = {1: Kept(at_ten.digest, TEN_US, TEN_US)}
    assert [receipt.is_known for receipt in place_receipts([at_ten, later], kept, {})] == [True, False]
    states = [State(5, 1.0, us, Delivery("s", 1, False, us)) for us in (TEN_US, TWENTY_PAST_NINE_US)]
    delivered = {("s", 1): Delivered(5, 1.0, TEN_US)}
    assert [is_known(state, delivered) for state in states] == [True, False]
