"""How large a result may be. One place, since the sum has to fit into the memory of a task."""

from dataclasses import dataclass

import psycopg2

MIB = 1024 * 1024


@dataclass(frozen=True)
class Size:
    """What a result takes: bytes as PostgreSQL sends them, and values in rows times columns."""

    bytes: int = 0
    cells: int = 0

    def __add__(self, other: "Size") -> "Size":
        return Size(self.bytes + other.bytes, self.cells + other.cells)

    def __sub__(self, other: "Size") -> "Size":
        return Size(self.bytes - other.bytes, self.cells - other.cells)


#: One result. A value takes up to 100 bytes in Python, and as much again in pandas.
OF_RESULT = Size(bytes=32 * MIB, cells=2_000_000)

#: All results that the requests of one tenant hold at once in one process.
OF_TENANT = Size(bytes=64 * MIB, cells=3_000_000)

#: Bytes of a file that is streamed, as PostgreSQL sends its rows. It is never here as a whole; this bounds its time and traffic.
OF_STREAM = 512 * MIB


class ResultTooLarge(psycopg2.OperationalError):
    """The reason in words: drivers' errors are shown to the user as they are."""


def too_many_bytes() -> ResultTooLarge:
    return ResultTooLarge(
        f"The result of this query is larger than {OF_RESULT.bytes // MIB} MiB, which is the most that can be shown. "
        "Select fewer columns or rows, or shorten long texts, for example with left(column, 1000)."
    )


def too_long_a_stream() -> ResultTooLarge:
    return ResultTooLarge(
        f"The file is larger than {OF_STREAM // MIB} MiB, which is the most that can be exported at once. "
        "Export fewer columns or rows, for example one month at a time."
    )


def too_many_cells(rows: int, columns: int) -> ResultTooLarge:
    return ResultTooLarge(
        f"The result of this query has {rows:,} rows of {columns:,} columns; at most {OF_RESULT.cells:,} values can be "
        "shown. Select fewer columns, or set a lower row limit."
    )


def too_much_at_once() -> ResultTooLarge:
    return ResultTooLarge(
        f"The results that your organisation is loading at the moment are larger than {OF_TENANT.bytes // MIB} MiB or "
        f"{OF_TENANT.cells:,} values together. Try again in a moment, or select less."
    )
