"""An agent's place in the table of running agents, kept for as long as it runs.

A place is lost when it could not be renewed for so long that another agent may take it: the run then ends, for no user
may be played twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

from mattermost_load_test.errors import DatabaseError, LoadTestError, OperationError
from mattermost_load_test.loadtest.database.datasource import DataSource
from mattermost_load_test.loadtest.database.instances import EXPIRED_AFTER_S, Instance, InstanceTable

T = TypeVar("T")

HEARTBEATS = 4
"""How many heartbeats a place outlasts, as in the original: one every 30 s."""

WITHOUT_TABLE = "pass --agent-index and --agent-count to every agent, which then need no database to know their users"


class Registration:
    """A place in the table: `instance` is the row."""

    def __init__(
        self, table: InstanceTable, instance_id: str, instance: Instance, expired_after_s: float = EXPIRED_AFTER_S
    ) -> None:
        self.instance = instance
        self._table = table
        self._id = instance_id
        self._heartbeat_s = expired_after_s / HEARTBEATS
        self._renewed_s = time.monotonic()

    async def keep(self, lost: Callable[[LoadTestError], object], warn: Callable[[str], object]) -> None:
        """Renew the place at each heartbeat; calls `lost` with the reason and returns when it is another's, or may be.

        A database that does not answer is told to `warn` and asked again, sooner, until one heartbeat is left.
        """
        wait_s = self._heartbeat_s
        while True:
            await asyncio.sleep(wait_s)
            begun_s = time.monotonic()
            try:
                there = await asyncio.to_thread(self._table.renew, self._id)
            except DatabaseError as error:
                if time.monotonic() - self._renewed_s >= self._heartbeat_s * (HEARTBEATS - 1):
                    lost(type(error)(f"this agent's place among the agents is lost: {error}; or {WITHOUT_TABLE}"))
                    return
                warn(f"This agent's place among the agents could not be renewed yet: {error}")
                wait_s = self._heartbeat_s / 6
                continue
            if not there:
                lost(OperationError(f"this agent's place among the agents was taken by another; {WITHOUT_TABLE}"))
                return
            self._renewed_s, wait_s = begun_s, self._heartbeat_s

    async def during(
        self, work: Coroutine[Any, Any, T], lost: Callable[[LoadTestError], object], warn: Callable[[str], object]
    ) -> T:
        """Return what `work` returns, keeping the place meanwhile."""
        keeping = asyncio.ensure_future(self.keep(lost, warn))
        try:
            return await work
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])


@contextlib.contextmanager
def with_way_out() -> Iterator[None]:
    """Let an error of the database say how to do without the table."""
    try:
        yield
    except DatabaseError as error:
        raise type(error)(f"{error}; or {WITHOUT_TABLE}") from error


@contextlib.contextmanager
def registered(source: DataSource, instance_id: str) -> Iterator[Registration]:
    """Take a place in the table and free it at the end; raises `DatabaseError`, saying how to do without the table."""
    table = InstanceTable(source)
    with with_way_out():
        instance = table.join(instance_id)
    try:
        yield Registration(table, instance_id, instance)
    finally:
        with contextlib.suppress(DatabaseError):  # it expires by itself
            table.leave(instance_id)
