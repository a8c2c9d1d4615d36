"""Waiting until a program of a local cluster listens on its port."""

from __future__ import annotations

import socket
import time

from mattermost_load_test.errors import OperationError
from mattermost_load_test.ltops.providers.local.layout import HOST
from mattermost_load_test.ltops.providers.local.programs import ended
from mattermost_load_test.ltops.supervision import Program, Supervisor

START_S = 30.0
_POLL_S = 0.05


def wait_until_listening(port: int, supervisor: Supervisor, program: Program) -> None:
    """Wait until something listens on `port`; raises `OperationError` when the program ends, or does not in time."""
    deadline_s = time.monotonic() + START_S
    while not _listens(port):
        if reason := ended(supervisor, program):
            raise OperationError(reason)
        if time.monotonic() > deadline_s:
            raise OperationError(f"it does not listen on port {port} after {START_S:g} s ({program.log})")
        time.sleep(_POLL_S)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
