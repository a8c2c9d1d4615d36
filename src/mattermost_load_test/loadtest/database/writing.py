"""Many rows into one table: by COPY into PostgreSQL, by large INSERTs into MySQL.

Rows stream: nothing but the block under way is held. The text of a row is made from a template in which constant
columns already stand, which is what makes it fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Integer, Table

Value = str | int | bool | None
Encode = Callable[[Value], str]

Count = Callable[[int], object]
"""Told how many rows were written since the last time."""

BLOCK_ROWS = 2_000
"""Rows handed to the driver at a time: some 500 kB of posts, far below the smallest `max_allowed_packet` (4 MB)."""

_COPY_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class RowWriter:
    """Writes rows whose values stand in the order of `row`; the other columns have the same value in every row.

    `same` names columns that repeat another (``{"parentid": "rootid"}``), `constant` their values. Columns that the
    table does not have are left out; one that must not be empty and is not named gets the nothing of its type.
    """

    def __init__(
        self,
        connection: Connection,
        table: Table,
        row: Sequence[str],
        *,
        same: Mapping[str, str] | None = None,
        constant: Mapping[str, Value] | None = None,
    ) -> None:
        self._connection = connection
        self._postgres = connection.dialect.name == "postgresql"
        self._encode: Encode = _copy_text if self._postgres else _mysql_encoder(connection)
        positions = {name: row.index(source) for name, source in [*zip(row, row, strict=True), *(same or {}).items()]}
        cells = {
            column.name: cell
            for key, column in table.c.items()
            if (cell := self._cell(column, positions.get(key), constant or {}, key)) is not None
        }
        quoted = connection.dialect.identifier_preparer
        columns = ", ".join(quoted.quote(name) for name in cells)
        self._target = f"{quoted.format_table(table)} ({columns})"
        self._template = ("\t" if self._postgres else ",").join(cells.values())
        self._template = self._template + "\n" if self._postgres else f"({self._template})"

    def write(self, rows: Iterable[Sequence[Value]]) -> int:
        """Write the rows and return how many there were; the transaction under way holds them."""
        driver = self._connection.connection.driver_connection
        assert driver is not None
        with driver.cursor() as cursor:
            return self._copy(cursor, rows) if self._postgres else self._insert(cursor, rows)

    def _copy(self, cursor: Any, rows: Iterable[Sequence[Value]]) -> int:
        """Write by COPY."""
        count = 0
        with cursor.copy(f"COPY {self._target} FROM STDIN") as copy:
            for block in _blocks(rows):
                copy.write("".join(self._texts(block)))
                count += len(block)
        return count

    def _insert(self, cursor: Any, rows: Iterable[Sequence[Value]]) -> int:
        """Write by INSERTs of many rows each."""
        count = 0
        for block in _blocks(rows):
            cursor.execute(f"INSERT INTO {self._target} VALUES {','.join(self._texts(block))}")
            count += len(block)
        return count

    def _texts(self, block: Sequence[Sequence[Value]]) -> Iterator[str]:
        """Yield the rows of a block as the database reads them."""
        fill, encode = self._template.format, self._encode
        return (fill(*map(encode, row)) for row in block)

    def _cell(self, column: Column[Any], position: int | None, constant: Mapping[str, Value], key: str) -> str | None:
        """Return what stands for a column in the template, or None for one that is left to its default."""
        if position is not None:
            return f"{{{position}}}"
        if key in constant:
            return self._literal(constant[key])
        if column.nullable or column.server_default is not None:
            return None
        return self._literal(False if isinstance(column.type, Boolean) else 0 if _is_number(column) else "")

    def _literal(self, value: Value) -> str:
        """Return a value as it stands in every row."""
        return self._encode(value).replace("{", "{{").replace("}", "}}")


def counted(rows: Iterable[tuple[Value, ...]], count: Count, step: int = 1000) -> Iterator[tuple[Value, ...]]:
    """Yield the rows and count them, some at a time."""
    pending = 0
    for row in rows:
        yield row
        pending += 1
        if pending == step:
            count(pending)
            pending = 0
    count(pending)


def _is_number(column: Column[Any]) -> bool:
    """Say whether a column holds whole numbers (MySQL's booleans included)."""
    return isinstance(column.type, Integer)


def _blocks(rows: Iterable[Sequence[Value]]) -> Iterator[list[Sequence[Value]]]:
    """Yield the rows in blocks."""
    block: list[Sequence[Value]] = []
    for row in rows:
        block.append(row)
        if len(block) == BLOCK_ROWS:
            yield block
            block = []
    if block:
        yield block


def _copy_text(value: Value) -> str:
    """Return a value as COPY reads it in its text format."""
    if isinstance(value, str):
        return value if value.isprintable() and "\\" not in value else value.translate(_COPY_ESCAPES)
    if value is None:
        return "\\N"
    return ("t" if value else "f") if isinstance(value, bool) else str(value)


def _mysql_encoder(connection: Connection) -> Encode:
    """Return what makes SQL literals in the character set and mode of the connection."""
    escape = connection.connection.driver_connection.escape  # type: ignore[union-attr]  # PyMySQL's, open
    return lambda value: str(escape(value))
