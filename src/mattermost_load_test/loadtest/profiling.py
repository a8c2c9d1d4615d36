"""Profiles of the server under test, as files that ``go tool pprof`` opens.

A Mattermost server gives them beside its metrics, on a port of its own (``PProfURL``), where it is licensed and
``MetricsSettings.Enable`` is on; they are those of Go's ``net/http/pprof``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from mattermost_load_test.config import Configuration
from mattermost_load_test.errors import (
    ApiError,
    ConfigurationError,
    LoadTestError,
    OutputError,
    RequestTimeoutError,
    UnexpectedAnswerError,
)
from mattermost_load_test.logs import Log
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.transport import Request, ServerTransport, TransportOptions

URL_KEY = "ConnectionConfiguration.PProfURL"

ANSWER_S = 60.0
"""How long the server may take for a profile, beyond the time that it measures."""

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of profile: what files call it, and where Go's server has it, below ``/debug/pprof``."""

    name: str
    path: str
    length_s: int = 0


def profiles(cpu_length_s: int) -> tuple[Profile, ...]:
    """Return what is taken, in this order: where goroutines are, where they wait, and `cpu_length_s` of the CPU's time.

    Without a length there is no profile of the CPU.
    """
    at_once = (Profile("goroutine", "/goroutine"), Profile("block", "/block"))
    cpu = Profile("cpu", f"/profile?seconds={cpu_length_s}", cpu_length_s)
    return (*at_once, cpu) if cpu_length_s else at_once


async def save_profiles(configuration: Configuration, folder: Path, log: Log) -> AsyncIterator[Path]:
    """Take each profile, write it into `folder`, and yield the file; one that is there is whole.

    Raises `ServerError` when there is no getting at them, `ConfigurationError` when no place is named, `OutputError`
    when a file cannot be written.
    """
    connection, length_s = configuration.connection, configuration.results.pprof_length
    if not connection.pprof_url:
        raise ConfigurationError(f"{URL_KEY} is empty: say where the server gives its profiles")
    options = replace(
        TransportOptions.of(connection),
        base_url=connection.pprof_url,
        url_key=URL_KEY,
        request_timeout_s=length_s + ANSWER_S,
    )
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    async with open_transport(options) as transport:
        for profile in profiles(length_s):
            if profile.length_s:
                log.info("Taking a profile of the server's CPU", length_s=profile.length_s)
            content = await _taken(transport, profile)
            path = folder / f"pprof-{stamp}-{profile.name}.pb.gz"
            await asyncio.to_thread(_write, path, content)
            log.info("Saved a profile of the server", profile=profile.name, file=str(path), size_bytes=len(content))
            yield path


async def _taken(transport: ServerTransport, profile: Profile) -> bytes:
    """Return a profile's content; raises `ServerError`."""
    route = f"GET /debug/pprof{profile.path}"
    try:
        answer = await transport.send(Request("GET", profile.path, route))
    except RequestTimeoutError as error:
        limit_s = profile.length_s + ANSWER_S
        raise RequestTimeoutError(
            f"{transport.server} did not give its {profile.name} profile within {limit_s:g} s"
        ) from error
    if answer.status != 200:
        said = answer.body[:200].decode(errors="replace").strip().partition("\n")[0]
        raise ApiError(
            route,
            answer.status,
            server_message=f"{said}; {URL_KEY} is {transport.server}: a Mattermost gives profiles on the port of its "
            "metrics, with a licence and MetricsSettings.Enable",
        )
    if not answer.body.startswith(_GZIP):
        raise UnexpectedAnswerError(
            f"{transport.server} answered {route} with something that is no profile; {URL_KEY} must be the address of "
            "Go's profiles, such as http://localhost:8067/debug/pprof"
        )
    return answer.body


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; raises `OutputError`."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise OutputError(f"the profile {path} cannot be written: {error.strerror}") from error


@contextlib.asynccontextmanager
async def profiled(
    configuration: Configuration, length_s: float, folder: Path, log: Log, note: Callable[[str], object]
) -> AsyncIterator[None]:
    """Take the server's profiles while a run of `length_s` goes on, `PProfDelayMinutes` after its begin.

    What goes wrong with them is told to `log` and `note`, and the run goes on. A profile that the end of the run finds
    under way is given up.
    """
    delay_s = configuration.results.pprof_delay_minutes * 60.0
    if not delay_s:
        yield
        return
    if delay_s >= length_s:
        log.warn("No profiles of the server are taken: PProfDelayMinutes is longer than the run")
        yield
        return
    taking = asyncio.ensure_future(_take_later(configuration, delay_s, folder, log, note))
    try:
        yield
    finally:
        if not taking.done():
            note("the run ended before all profiles of the server were taken.")
        taking.cancel()
        await asyncio.wait([taking])


async def _take_later(
    configuration: Configuration, delay_s: float, folder: Path, log: Log, note: Callable[[str], object]
) -> None:
    """Take the profiles after `delay_s`; errors are told and end here."""
    await asyncio.sleep(delay_s)
    try:
        async for _ in save_profiles(configuration, folder, log):
            pass
    except LoadTestError as error:
        log.warn(f"Profiles of the server could not be taken: {error}")
        note(f"profiles of the server could not be taken: {error}.")
