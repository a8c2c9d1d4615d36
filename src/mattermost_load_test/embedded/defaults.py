"""What a server just installed holds: roles, configuration, time zones; read from the data beside this package.

The data was taken from the recorded servers; roles without a recording on 11.6 are those of 5.37 under their new names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from mattermost_load_test.embedded.tables.roles import Role


def read_data(name: str) -> Any:
    """Return the JSON value in one of the package's data files."""
    return orjson.loads(files(__package__).joinpath("data", name).read_bytes())


def default_roles(version: str, new_id: Callable[[], str], now_ms: int) -> Iterator[Role]:
    """Make the built-in roles of a version."""
    for row in read_data(f"roles-{version}.json"):
        yield Role(id=new_id(), create_at=now_ms, update_at=now_ms, built_in=True, **row)


@cache
def console_permissions(version: str, kind: str) -> tuple[str, ...]:
    """Return the permissions to read, or to write, the parts of the system console; `kind` is ``read`` or ``write``."""
    admin = next(row for row in read_data(f"roles-{version}.json") if row["name"] == "system_admin")
    return tuple(name for name in admin["permissions"] if name.startswith(f"sysconsole_{kind}_"))
