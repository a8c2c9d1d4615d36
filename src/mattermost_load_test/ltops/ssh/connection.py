"""A connection to one host: made when it is needed, made again when it was lost, used by several threads."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import paramiko
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_after_delay,
    stop_when_event_set,
    wait_exponential,
    wait_random,
)

from mattermost_load_test.errors import HostError
from mattermost_load_test.ltops.ssh.keys import KnownHosts, private_key

SSH_PORT = 22
CONNECT_S = 15.0
KEEPALIVE_S = 15
LOST_MS = 30_000
"""After how long without an answer to what was sent a connection counts as lost."""

UP_S = 300.0
"""How long a host may take until it lets us in: images of clouds need a minute or two."""

Tell = Callable[[str], None]

# What its thread meets is raised where it is waited for; without a handler logging would write tracebacks to stderr.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


class HostUnreachableError(HostError):
    """A host does not answer, or not yet, or the connection to it was lost: worth another try.

    `hint` is what may be done about it, part of the message.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}; {hint}" if hint else message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Login:
    """Where a host is, who logs in there, and how messages call it; `if_silent` is a hint for when nothing answers."""

    name: str
    host: str
    port: int
    user: str
    key_file: Path
    known_hosts_file: Path
    if_silent: str = ""

    def __str__(self) -> str:
        return (
            f"{self.name} ({self.user}@{self.host}{'' if self.port == paramiko.config.SSH_PORT else f':{self.port}'})"
        )


class Connection:
    """See the module. `log` is told every command and what it said."""

    def __init__(self, login: Login, log: Tell = lambda words: None, *, connect_s: float = CONNECT_S) -> None:
        self.login = login
        self.log = log
        self._connect_s = connect_s
        self._known_hosts = KnownHosts(login.known_hosts_file)
        self._lock = threading.Lock()
        self._client: paramiko.SSHClient | None = None

    def transport(self) -> paramiko.Transport:
        """Return the open connection, made if need be; raises `HostError`, at once."""
        with self._lock:
            there = self._client.get_transport() if self._client is not None else None
            if there is None or not there.is_active():
                self._close()
                self._client = self._connected()
                there = self._client.get_transport()
                assert there is not None  # it has just connected
            return there

    def wait_until_up(self, tell: Tell, timeout_s: float = UP_S, left: threading.Event | None = None) -> None:
        """Try with growing pauses until the host lets us in; raises `HostError` when it does not in time.

        A host that has another key than it is known by is not tried again, nor any when `left` is set.
        """
        begun_s, left = time.monotonic(), left or threading.Event()
        try:
            for attempt in Retrying(
                retry=retry_if_exception_type(HostUnreachableError),
                stop=stop_after_delay(timeout_s) | stop_when_event_set(left),
                wait=wait_exponential(multiplier=0.3, max=5.0) + wait_random(0, 0.5),
                sleep=sleep_using_event(left),
                before_sleep=lambda state: tell(_waiting(state, time.monotonic() - begun_s)),
                reraise=True,
            ):
                with attempt:
                    self.transport()
        except HostUnreachableError as error:
            raise HostError(
                f"{error}; it was tried for {time.monotonic() - begun_s:.0f} s: see that it runs, and that it and what "
                "stands before it let this machine in"
            ) from error

    @contextmanager
    def channel(self) -> Iterator[paramiko.Channel]:
        """Open a channel; what goes wrong with the connection inside of it becomes `HostError`."""
        with self.translated(), contextlib.closing(self.transport().open_session(timeout=self._connect_s)) as channel:
            yield channel

    def lost(self) -> HostUnreachableError:
        """Return the error for a connection that broke."""
        return HostUnreachableError(f"the connection to {self.login} was lost")

    def close(self) -> None:
        """End the connection, if there is one; the next use makes another."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connected(self) -> paramiko.SSHClient:
        """Return a client that has logged in."""
        key = private_key(self.login.key_file)
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(self._known_hosts)
        self._known_hosts.load_into(client)
        try:
            with self.translated():
                client.connect(
                    self.login.host,
                    self.login.port,
                    self.login.user,
                    pkey=key,
                    sock=_socket(self.login, self._connect_s),
                    banner_timeout=self._connect_s,
                    auth_timeout=self._connect_s,
                    allow_agent=False,
                    look_for_keys=False,
                )
            transport = client.get_transport()
            assert transport is not None  # likewise
            transport.set_keepalive(KEEPALIVE_S)
        except BaseException:
            client.close()
            raise
        return client

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise `HostError` in place of what paramiko and sockets raise."""
        try:
            yield
        except paramiko.BadHostKeyException as error:
            raise HostError(self._known_hosts.changed(error.hostname)) from error
        except paramiko.AuthenticationException as error:
            raise HostUnreachableError(  # the account may be made a little later than the host
                f"{self.login} does not take the key {self.login.key_file}"
            ) from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            reason = getattr(error, "strerror", None) or str(error) or "the connection was closed"
            raise HostUnreachableError(f"{self.login} cannot be reached by SSH: {reason}") from error


def _waiting(state: RetryCallState, since_s: float) -> str:
    """Return what to tell of a host that is waited for."""
    error = state.outcome.exception() if state.outcome is not None else None
    hint = error.hint if isinstance(error, HostUnreachableError) else ""
    return f"waiting for it to answer, since {since_s:.0f} s" + (f"; {hint}" if hint else "")


def _socket(login: Login, connect_s: float) -> socket.socket:
    """Return a connected socket that notices within half a minute that the other end is gone; raises OSError.

    Raises `HostUnreachableError` where nothing answers, as behind a firewall that lets others in.
    """
    try:
        connected = socket.create_connection((login.host, login.port), timeout=connect_s)
    except TimeoutError as error:
        silent = f"{login} cannot be reached by SSH: nothing answers"
        raise HostUnreachableError(silent, login.if_silent) from error
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, LOST_MS)
    return connected
