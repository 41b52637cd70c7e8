"""Everything a run needs from outside: a database and a broker, embedded unless the settings name other ones."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from undercroft.errors import BadInput, StackFailed
from undercroft.model import Mode
from undercroft.settings import Settings
from undercroft.stack.broker import Broker, running_broker
from undercroft.stack.datadir import DataDir, open_data_dir
from undercroft.stack.ports import require_broker
from undercroft.stack.postgres import PostgresServer, running_postgres
from undercroft.store.databases import (
    create_database,
    database_exists,
    drop_database,
    holds_run,
    migrate_database,
    mode_of_database,
)
from undercroft.store.roles import Role, create_logins


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """One database, as each part may enter it. With an external server all are the same."""

    owner: str = field(repr=False)
    ingest: str = field(repr=False)
    engine: str = field(repr=False)
    api: str = field(repr=False)
    simulator: str = field(repr=False)
    duty: str = field(repr=False)
    acts: str = field(repr=False)


class EmbeddedStack:
    """PostgreSQL and MQTT for a run; a context manager that stops what it started.

    Parameters
    ----------
    settings
        URLs that are set are used; for those that are not, a server is started in DATA_DIR.
    mqtt_port
        Port of the embedded broker: None takes 1883 or the next free one, 0 any.
    fsync
        False only where the data may be lost with the machine.
    """

    def __init__(self, settings: Settings, *, mqtt_port: int | None = None, fsync: bool = True) -> None:
        self._settings = settings
        self._mqtt_port = mqtt_port
        self._fsync = fsync
        self._running = ExitStack()
        self._data_dir: DataDir | None = None
        self._postgres: PostgresServer | None = None
        self._broker: Broker | None = None

    def __enter__(self) -> Self:
        if self._settings.mqtt_url is not None:
            require_broker(self._settings.mqtt_url.get_secret_value())
        with ExitStack() as starting:
            if self._settings.database_url is None or self._settings.mqtt_url is None:
                self._data_dir = starting.enter_context(open_data_dir(self._settings.data_dir))
                if self._settings.database_url is None:
                    postgres = running_postgres(self._data_dir, fsync=self._fsync)
                    self._postgres = starting.enter_context(postgres)
                if self._settings.mqtt_url is None:
                    self._broker = starting.enter_context(running_broker(self._data_dir, self._mqtt_port))
            self._running = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()
        self._postgres = self._broker = self._data_dir = None

    @property
    def has_embedded_database(self) -> bool:
        """Whether the database server is ours."""
        return self._postgres is not None

    @property
    def broker(self) -> Broker | None:
        """The embedded broker; None when the settings name another one."""
        return self._broker

    @property
    def data_dir(self) -> DataDir | None:
        """DATA_DIR; None when nothing is embedded."""
        return self._data_dir

    def pids(self) -> dict[str, int]:
        """Return the process numbers of the servers that we started; PostgreSQL has children."""
        found: Mapping[str, PostgresServer | Broker | None] = {"postgres": self._postgres, "broker": self._broker}
        pids = {name: server.process.pid for name, server in found.items() if server is not None}
        return {name: pid for name, pid in pids.items() if pid is not None}

    def mqtt_url(self, user: str = "ingest") -> str:
        """Return the broker's URL for one of `undercroft.stack.broker.USERS`."""
        if self._broker is not None:
            return self._broker.url(user)
        if self._settings.mqtt_url is None:
            raise StackFailed("the stack is not running")
        return self._settings.mqtt_url.get_secret_value()

    def open_database(self, name: str, mode: Mode) -> DatabaseUrls:
        """Return a database of this mode with the schema up to date; what is in it stays.

        Parameters
        ----------
        name
            Name in the embedded server; an external URL names its database itself.
        mode
            What it must be for.

        Raises
        ------
        BadInput
            If it is of the other mode.
        """
        if self._postgres is not None and not database_exists(self._postgres.url(), name):
            create_database(self._postgres.url(), name)
        return self._migrated(name, mode)

    def create_database(self, name: str, mode: Mode) -> DatabaseUrls:
        """Return an empty database with the schema up to date.

        In the embedded server an exercise database of this name is replaced, a live one never. An external one has to
        be without readings: nothing is deleted there.
        """
        if self._postgres is None:
            urls = self._migrated(name, mode)
            if holds_run(urls.owner):
                raise BadInput(f"the database holds an earlier {mode.value} run: empty it with `undercroft db reset`")
            return urls
        if database_exists(self._postgres.url(), name):
            if mode_of_database(self._postgres.url(name)) is Mode.LIVE:
                raise BadInput(f"database {name} is live; it is not replaced")
            drop_database(self._postgres.url(), name)
        create_database(self._postgres.url(), name)
        return self._migrated(name, mode)

    def _migrated(self, name: str, mode: Mode) -> DatabaseUrls:
        if self._postgres is None or self._data_dir is None:
            if self._settings.database_url is None:
                raise StackFailed("the stack is not running")
            owner = self._settings.database_url.get_secret_value()
            migrate_database(owner, mode)
            return DatabaseUrls(owner, owner, owner, owner, owner, owner, owner)
        owner = self._postgres.url(name)
        migrate_database(owner, mode)
        data_dir = self._data_dir
        logins = create_logins(owner, name, lambda login: data_dir.secret(f"db_{login}"))
        url = {role: self._postgres.url(name, login, data_dir.secret(f"db_{login}")) for role, login in logins.items()}
        return DatabaseUrls(
            owner,
            url[Role.INGEST],
            url[Role.ENGINE],
            url[Role.API],
            url[Role.SIMULATOR],
            url[Role.DUTY],
            url[Role.ACTS],
        )
