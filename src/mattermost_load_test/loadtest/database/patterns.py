"""Rows that a server wrote itself, as the pattern for many: so every column of its version comes out right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import JSON, Column, ColumnElement, Connection, String, Text, cast, select

from mattermost_load_test.loadtest.database.schema import Tables
from mattermost_load_test.loadtest.database.writing import RowWriter, Value

Pattern = Mapping[str, Value]
"""The values of a row by lower-case column, in a form that `RowWriter` takes."""


def read_patterns(connection: Connection, tables: Tables, table: str, **where: str) -> list[Pattern]:
    """Return the rows of a table whose columns have the values of `where`."""
    found = tables[table]
    columns = [_as_written(connection, key, column) for key, column in found.c.items()]
    conditions = [found.c[key] == value for key, value in where.items()]
    return [dict(row) for row in connection.execute(select(*columns).where(*conditions)).mappings()]


def _as_written(connection: Connection, key: str, column: Column[Any]) -> ColumnElement[Any]:
    """Return a column whose value can be written as it is read."""
    if connection.dialect.name == "postgresql":
        return cast(column, Text).label(key)
    return (cast(column, String) if isinstance(column.type, JSON) else column).label(key)


def writer(
    connection: Connection, tables: Tables, table: str, pattern: Pattern, varying: Sequence[str], **same: Value
) -> RowWriter:
    """Return a writer of rows like `pattern`, but for the columns `varying` and those that are the `same` in all.

    Columns that the server's version does not have are left out.
    """
    constant = {**pattern, **same}
    return RowWriter(connection, tables[table], varying, constant=constant)
