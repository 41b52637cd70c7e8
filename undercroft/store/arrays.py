"""numpy columns as PostgreSQL arrays in binary form, for writes of the form ``select * from unnest(...)``.

psycopg turns a list into an array element by element; a batch of columns is written here in one copy each.
The layout is PostgreSQL's ``array_send``: dimensions, null flag, element type, length, lower bound, then every
element behind its own length.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.adapt import Dumper
from psycopg.pq import Format

POSTGRES_EPOCH_US = 946_684_800_000_000
"""2000-01-01T00:00:00Z, from which PostgreSQL counts. [µs since 1970]"""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a batch."""

    values: NDArray[Any]


class Int2Column(Column):
    """``smallint[]``."""


class Int4Column(Column):
    """``integer[]``."""


class Int8Column(Column):
    """``bigint[]``."""


class Float8Column(Column):
    """``double precision[]``."""


class TimestamptzColumn(Column):
    """``timestamptz[]``; the values are microseconds since 1970, UTC."""


class _ColumnDumper(Dumper):
    format = Format.BINARY
    element_oid: ClassVar[int]
    element_dtype: ClassVar[str]
    origin: ClassVar[int] = 0

    def dump(self, obj: Column) -> bytes:
        """Return the column as ``array_send`` would write it."""
        values = obj.values
        if values.size == 0:
            return struct.pack("!iiI", 0, 0, self.element_oid)
        element = np.dtype(self.element_dtype)
        packed = np.empty(values.size, dtype=[("length", ">i4"), ("value", element)])
        packed["length"] = element.itemsize
        packed["value"] = values - self.origin if self.origin else values
        return struct.pack("!iiIii", 1, 0, self.element_oid, values.size, 1) + packed.tobytes()


def _register(column: type[Column], element: str, dtype: str, origin: int = 0) -> None:
    info = psycopg.adapters.types[element]
    body = {"oid": info.array_oid, "element_oid": info.oid, "element_dtype": dtype, "origin": origin}
    psycopg.adapters.register_dumper(column, type(f"{column.__name__}Dumper", (_ColumnDumper,), body))


_register(Int2Column, "int2", ">i2")
_register(Int4Column, "int4", ">i4")
_register(Int8Column, "int8", ">i8")
_register(Float8Column, "float8", ">f8")
_register(TimestamptzColumn, "timestamptz", ">i8", POSTGRES_EPOCH_US)
