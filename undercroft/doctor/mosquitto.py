"""Reads a Mosquitto configuration and says how it differs from what loses no message and lets nobody in. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from undercroft.doctor.finding import Finding, Verdict, bad, good, note

WANTED = {
    "allow_anonymous": "false",
    "persistence": "true",
    "autosave_interval": "1",
    "max_inflight_messages": "1000",
    "max_queued_messages": "0",
    "message_size_limit": "262144",
}
"""Mosquitto's defaults drop all but 1,000 queued messages in silence and lose the session on kill -9."""

AS_BY_DEFAULT = {
    "max_queued_bytes": "0", "memory_limit": "0", "retain_available": "true", "max_qos": "2",
    "max_connections": "-1", "global_max_connections": "-1", "max_inflight_bytes": "0",
}  # fmt: skip
"""What may be left out, and drops or refuses messages or devices at any other value."""

LEAST_PACKET_BYTES = 300_000
LEAST_KEEPALIVE_S = 60
"""A device that must speak sooner is cut off and in again all day."""
LEAST_ABSENCE_H = 24
PASSING = ("/tmp", "/run", "/var/run", "/dev/shm")  # noqa: S108 - folders that nothing outlasts
FILES_OF_ACCESS = ("acl_file", "password_file")
PER_LISTENER = frozenset({"allow_anonymous", *FILES_OF_ACCESS})
FILES_OF_TLS = ("certfile", "keyfile")
OLD_TLS = frozenset({"tlsv1", "tlsv1.0", "tlsv1.1"})
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
KNOWN = frozenset({
    *WANTED, *AS_BY_DEFAULT, *PER_LISTENER, *FILES_OF_TLS, "tls_version", "cafile", "capath", "ciphers",
    "ciphers_tls1.3", "crlfile", "dhparamfile", "port", "bind_address", "socket_domain", "protocol",
    "per_listener_settings", "max_packet_size", "max_keepalive", "persistent_client_expiration",
    "persistence_location", "use_username_as_clientid", "persistence_file", "autosave_on_changes",
    "connection_messages", "log_dest", "log_type", "log_timestamp", "log_timestamp_format", "log_facility",
    "websockets_log_level", "websockets_headers_size", "pid_file", "user", "set_tcp_nodelay", "sys_interval",
    "max_topic_alias", "require_certificate", "queue_qos0_messages", "upgrade_outgoing_qos",
    "allow_zero_length_clientid", "auto_id_prefix",
})  # fmt: skip
"""What is looked at, or can neither lose a message nor let anybody in; any other option is named as not looked at."""
OF_BRIDGES = frozenset({
    "cleansession", "local_cleansession", "clientid", "remote_clientid", "local_clientid", "keepalive_interval",
    "idle_timeout", "restart_timeout", "start_type", "threshold", "notifications", "notifications_local_only",
    "notification_topic", "round_robin", "try_private", "username", "remote_username", "local_username", "password",
    "remote_password", "local_password",
})  # fmt: skip
_HOURS = {"h": 1, "d": 24, "w": 168, "m": 720, "y": 8760}


@dataclass(frozen=True, slots=True)
class Listener:
    """A port that the broker listens on, with the options that follow it up to the next one."""

    port: str
    address: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return self.address in LOOPBACK or self.port == "0"  # 0 is a socket in the file system


@dataclass(frozen=True, slots=True)
class Bridge:
    """Another broker that this one connects to, with the topics that it carries."""

    name: str
    addresses: list[str] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)

    @property
    def brings_in(self) -> bool:
        """Whether it publishes here what the other says; a topic goes out unless it says otherwise."""
        return any(topic.split()[1:2] in (["in"], ["both"]) for topic in self.topics)

    def __str__(self) -> str:
        """Return where it leads and what it carries."""
        return f"bridge {self.name} to {' '.join(self.addresses) or 'nowhere'}: {', '.join(self.topics) or 'no topic'}"


@dataclass(frozen=True, slots=True)
class Configuration:
    """The options before the first listener, and the listeners; of an option given twice the last counts."""

    options: dict[str, str]
    listeners: tuple[Listener, ...]
    bridges: tuple[Bridge, ...] = ()

    def everywhere(self, name: str) -> list[str | None]:
        """Return an option's value, for each listener where each has its own; None where there is none."""
        if name in PER_LISTENER and self.options.get("per_listener_settings") == "true":
            return [listener.options.get(name) for listener in self.listeners]
        found = [listener.options[name] for listener in self.listeners if name in listener.options]
        return [*found[-1:]] or [self.options.get(name)]


def read_configuration(text: str) -> Configuration:
    """Return what a configuration says."""
    options: dict[str, str] = {}
    listeners: list[Listener] = []
    bridges: list[Bridge] = []
    for line in (line.strip() for line in text.splitlines()):
        if not line or line.startswith("#"):
            continue
        name, _, value = line.partition(" ")
        value = value.strip()
        if name == "listener":
            port, _, address = value.partition(" ")
            listeners.append(Listener(port, address.strip()))
        elif name in {"connection", "bridge"}:
            bridges.append(Bridge(value))
        elif bridges and name in {"address", "addresses"}:
            bridges[-1].addresses.append(value)
        elif bridges and name == "topic":
            bridges[-1].topics.append(value)
        elif bridges and (name in OF_BRIDGES or name.startswith("bridge_")):
            continue
        elif listeners:
            listeners[-1].options[name] = value
        else:
            options[name] = value
    if "port" in options:  # the form of old, whose TLS stands before every listener
        listeners.append(Listener(options["port"], options.get("bind_address", ""), options))
    return Configuration(options, tuple(listeners), tuple(bridges))


def check_configuration(configuration: Configuration) -> list[Finding]:
    """Return how a configuration differs from what it should be."""
    found = [*_limits(configuration), *_listeners(configuration), *_access(configuration), *_bridges(configuration)]
    unseen = [f"{name} {value}" for name, value in _all_options(configuration).items() if name not in KNOWN]
    if not any(finding.verdict is Verdict.BAD for finding in found):
        found.append(good("broker configuration", "TLS, passwords, access list and queue limits as they should be"))
    if unseen:
        found.append(note("broker configuration", f"not looked at: {', '.join(unseen)}", "look at it yourself"))
    return found


def _all_options(configuration: Configuration) -> dict[str, str]:
    said = dict(configuration.options)
    for listener in configuration.listeners:
        said |= listener.options
    return said


def _limits(configuration: Configuration) -> list[Finding]:
    said = _all_options(configuration)
    wanted = {name: value for name, value in WANTED.items() if any(v != value for v in configuration.everywhere(name))}
    wanted |= {name: value for name, value in AS_BY_DEFAULT.items() if said.get(name, value) != value}
    if "max_packet_size" in said and not _at_least(said["max_packet_size"], LEAST_PACKET_BYTES):
        wanted["max_packet_size"] = str(LEAST_PACKET_BYTES)
    if "max_keepalive" in said and not _at_least(said["max_keepalive"], LEAST_KEEPALIVE_S):
        wanted["max_keepalive"] = "65535"
    if "persistent_client_expiration" in said and _hours(said["persistent_client_expiration"]) < LEAST_ABSENCE_H:
        wanted["persistent_client_expiration"] = "7d"
    if not _outlasts(said.get("persistence_location", "")):  # none: the folder that it was started in
        wanted["persistence_location"] = "/mosquitto/data/"
    if not wanted:
        return []
    seen = ", ".join(f"{name} {said.get(name, '(default)')}" for name in wanted)
    return [bad("queue limits", seen, f"set {'; '.join(f'{name} {value}' for name, value in wanted.items())}")]


def _listeners(configuration: Configuration) -> list[Finding]:
    wrong = []
    for listener in configuration.listeners:
        name = f"listener {listener.port} {listener.address}".strip()
        if listener.options.get("tls_version", "").lower() in OLD_TLS:
            wrong.append(f"{name}: {listener.options['tls_version']}")
        if not listener.is_loopback and any(option not in listener.options for option in FILES_OF_TLS):
            wrong.append(f"{name}: no TLS")
        if listener.options.get("require_certificate") == "true":
            wrong.append(f"{name}: require_certificate true, and none of ours, and no device, is given one")
    if not configuration.listeners:
        wrong.append("no listener: only this machine reaches it, on port 1883")
    return [bad("listeners", "; ".join(wrong), "see deploy/mosquitto/mosquitto.conf")] if wrong else []


def _access(configuration: Configuration) -> list[Finding]:
    absent = [name for name in FILES_OF_ACCESS if not all(configuration.everywhere(name))]
    if not absent:
        return []
    return [bad("broker access", f"missing: {', '.join(absent)}", "see deploy/mosquitto/mosquitto.conf")]


def _bridges(configuration: Configuration) -> list[Finding]:
    """Return what bridges do: the access list holds for none of them (Mosquitto asks it of clients alone)."""
    inward = [str(bridge) for bridge in configuration.bridges if bridge.brings_in]
    outward = [str(bridge) for bridge in configuration.bridges if not bridge.brings_in]
    found = []
    if inward:
        advice = "let the other broker sign in here as a client, with a name and its place in the access list"
        found.append(bad("bridges", f"bring in what no access list looked at: {'; '.join(inward)}", advice))
    if outward:
        found.append(note("bridges", f"tell another broker: {'; '.join(outward)}", "see that it is meant"))
    return found


def _outlasts(folder: str) -> bool:
    """Tell whether a folder is named, and none that a restart empties; of the container's, only the volume is not."""
    under = f"{folder.rstrip('/')}/"
    if under.startswith("/mosquitto/"):
        return under.startswith("/mosquitto/data/")
    return len(under) > 1 and under.startswith("/") and not any(under.startswith(f"{passing}/") for passing in PASSING)


def _at_least(value: str, least: int) -> bool:
    return value.isdigit() and int(value) >= least


def _hours(value: str) -> int:
    return int(value[:-1]) * _HOURS.get(value[-1:], 0) if value[:-1].isdigit() else 0


def path_of(configuration: Configuration, name: str) -> str | None:
    """Return the file that an option names; None where none is named."""
    return next((value for value in configuration.everywhere(name) if value), None)


def has_bound_client_ids(configuration: Configuration) -> bool:
    """Tell whether a client's id is its name; else ``%c`` in an access list is whatever a client says."""
    values: Mapping[str, str] = _all_options(configuration)
    return values.get("use_username_as_clientid") == "true"
