"""Reads a Mosquitto access list and says what it gives away, and what it withholds from those who need it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from undercroft.doctor.finding import Finding, bad, good, note
from undercroft.topic_filters import filter_matches, filters_overlap

INGEST = "undercroft-ingest"
KINDS = ("observation", "event", "status")
LIVE_TREE = "flood/v1/#"
DEVICE_TOPICS = "flood/v1/+/+/+/+"
DEVICE_LEVEL = 4
"""Where a topic names the device."""
DRILLS = "exercise/#"
_ACCESS = frozenset({"read", "write", "readwrite", "deny"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One line: who may do what to which topics. ``user`` is None for a pattern, and empty for nobody in particular."""

    user: str | None
    access: str
    topic: str

    @property
    def writes(self) -> bool:
        """Whether it lets somebody publish."""
        return self.access in {"write", "readwrite"}

    @property
    def reads(self) -> bool:
        """Whether it lets somebody receive."""
        return self.access in {"read", "readwrite"}

    def __str__(self) -> str:
        """Return the line with its user."""
        who = "pattern" if self.user is None else f"user {self.user}" if self.user else "everybody"
        return f"{who}: {self.access} {self.topic}"


def read_access_list(text: str) -> list[Rule]:
    """Return the rules; a pattern holds for all users, wherever it stands."""
    rules: list[Rule] = []
    user = ""
    for line in (line.strip() for line in text.splitlines()):
        word, _, rest = line.partition(" ")
        first, _, last = rest.strip().partition(" ")
        access, topic = (first, last.strip()) if first in _ACCESS and last else ("readwrite", rest.strip())
        if word == "user":
            user = rest.strip()
        elif word == "topic":
            rules.append(Rule(user, access, topic))
        elif word == "pattern":
            rules.append(Rule(None, access, topic))
    return rules


def check_access_list(text: str, *, ingest: str = INGEST, has_bound_client_ids: bool = False) -> list[Finding]:
    """Return what an access list gives away and what it withholds.

    ``ingest`` is the name by which ingest signs in; without bound client ids ``%c`` names nobody.
    """
    rules = read_access_list(text)
    own = {"%u", "%c"} if has_bound_client_ids else {"%u"}
    loose = [str(rule) for rule in rules if _gives_away(rule, own)]
    loose += [f"{each} to {ingest}, which only reads" for each in _written_by_ingest(rules, ingest, own)]
    withheld = [*_withheld_from_ingest(rules, ingest), *_withheld_from_devices(rules), *_denied(rules, ingest)]
    found = []
    if loose:
        found.append(
            bad("access list", f"gives away: {'; '.join(loose)}", "bind each rule to the name: %u in its level")
        )
    if withheld:
        found.append(bad("access list", f"withholds: {'; '.join(withheld)}", "see deploy/mosquitto/acl"))
    if not found:
        found.append(good("access list", "devices write their own topics, ingest reads them, nobody else writes"))
    readers = [str(rule) for rule in rules if _reads_along(rule, ingest)]
    if readers:
        found.append(note("access list", f"reads along: {'; '.join(readers)}", "see that it is meant"))
    return found


def _gives_away(rule: Rule, own: set[str]) -> bool:
    """Tell whether a rule lets anybody write for another device or into a drill, or holds for everybody."""
    if rule.access == "deny":
        return False
    if rule.user == "":
        return True
    levels = rule.topic.split("/")
    if rule.user is None and not own & set(levels):
        return True
    if not rule.writes:
        return False
    open_topic = "/".join("+" if level in own else level for level in levels)
    if filters_overlap(open_topic, DRILLS):
        return True
    names = own if rule.user is None else {rule.user}
    return filters_overlap(open_topic, DEVICE_TOPICS) and (
        len(levels) <= DEVICE_LEVEL or levels[DEVICE_LEVEL] not in names
    )


def _withheld_from_ingest(rules: Sequence[Rule], ingest: str) -> list[str]:
    mine = [rule for rule in rules if rule.user == ingest]
    reads_all = any(rule.reads and rule.topic in {"#", "flood/#", LIVE_TREE} for rule in mine)
    denied = [
        rule.topic
        for rule in mine
        if rule.access == "deny" and filters_overlap(rule.topic, LIVE_TREE) and not _names(rule.topic, ingest)
    ]
    return [f"{topic} from {ingest}" for topic in (*([] if reads_all else [LIVE_TREE]), *denied)]


def _names(topic: str, device: str) -> bool:
    return topic.split("/")[DEVICE_LEVEL : DEVICE_LEVEL + 1] == [device]


def _written_by_ingest(rules: Sequence[Rule], ingest: str, own: set[str]) -> list[str]:
    """Return the patterns that let ingest publish in a place of its own: they hold for every name not denied it."""
    denied = [rule.topic for rule in rules if rule.user == ingest and rule.access == "deny"]
    topics = [
        (rule, "/".join(ingest if level in own else level for level in rule.topic.split("/")))
        for rule in rules
        if rule.user is None and rule.writes
    ]
    return [str(rule) for rule, topic in topics if not any(filters_overlap(deny, topic) for deny in denied)]


def _withheld_from_devices(rules: Sequence[Rule]) -> list[str]:
    patterns = [
        rule.topic.replace("%u", "device").replace("%c", "device")
        for rule in rules
        if rule.user is None and rule.writes
    ]
    return [
        f"{kind} from devices"
        for kind in KINDS
        if not any(filter_matches(pattern, f"flood/v1/district/place/device/{kind}") for pattern in patterns)
    ]


def _denied(rules: Sequence[Rule], ingest: str) -> list[str]:
    """Return the denials of what devices say: to Mosquitto they stand before every pattern that lets them write.

    Whoever reads along is no device: it may be denied the place of its own that the patterns would give it.
    """
    readers = {rule.user for rule in rules if _reads_along(rule, ingest)}
    found = []
    for rule in rules:
        if rule.access != "deny" or rule.user in {"", ingest} or (rule.user is not None and rule.user in readers):
            continue
        topics = [f"flood/v1/+/+/{rule.user or '+'}/{kind}" for kind in KINDS]
        if not _names(rule.topic, ingest) and any(filters_overlap(rule.topic, topic) for topic in topics):
            found.append(str(rule))
    return found


def _reads_along(rule: Rule, ingest: str) -> bool:
    return rule.reads and rule.user not in {"", ingest} and filters_overlap(rule.topic, LIVE_TREE)
