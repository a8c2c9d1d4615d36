"""A command or a shell in a container, on this process's terminal."""

from __future__ import annotations

import contextlib
import os
import select
import sys
from collections.abc import Sequence

from mattermost_load_test.errors import OperationError, ServerError
from mattermost_load_test.ltops.own_terminal import LOST, READ_BYTES, raw, resizing, write
from mattermost_load_test.ltops.providers.kubernetes.api import Api
from mattermost_load_test.ltops.providers.kubernetes.streams import STDERR, STDIN, Exec, Place

RESIZED_S = 0.3
"""How soon a changed size is told."""

SHELL = ("sh", "-c", "command -v bash >/dev/null && exec bash || exec sh")


def attach(api: Api, place: Place, command: Sequence[str]) -> int:
    """Run a command, a shell if it is empty, with our stdin, stdout and stderr; return its exit code.

    On a terminal it gets one of the same size and colours. Raises `ServerError` when the container cannot be reached,
    `OperationError` when it has no such program.
    """
    wanted = tuple(command or SHELL)
    terminal = os.isatty(sys.stdin.fileno()) and os.isatty(sys.stdout.fileno())
    named = ("env", f"TERM={os.environ.get('TERM', 'xterm')}", *wanted)  # an image may lack `env`
    for attempt in (named, wanted) if terminal else (wanted,):
        stream = _attached(api, place, attempt, terminal=terminal)
        if not stream.refusal:
            return LOST if stream.exit_code is None else stream.exit_code
    raise OperationError(_no_program(api, place, command, stream.refusal))


def _no_program(api: Api, place: Place, command: Sequence[str], refusal: str) -> str:
    """Return that a command could not begin, and what can be done where an image has no shell."""
    where = f"the container {place.container} of {place.pod}"
    if command:
        return f"{command[0]} cannot be run in {where}: {refusal}"
    return (
        f"{where} has no shell, as Mattermost's own image since 10.12 has none ({refusal}). Run a program that it has, "
        f"as in `ltops ssh app -c NAME -- /mattermost/bin/mmctl version`, or bring a shell along: kubectl debug -it "
        f"-n {api.namespace} {place.pod} --image=busybox --target={place.container}"
    )


def _attached(api: Api, place: Place, command: Sequence[str], *, terminal: bool) -> Exec:
    """Run a command to its end, or until the connection is lost, and return it."""
    stdin = sys.stdin.fileno()
    stream = Exec(api, place, command, stdin=True, terminal=terminal)
    sizes = [True] if terminal else []  # an entry whenever ours is to be told: by the loop, not in the midst of a frame
    with contextlib.closing(stream), contextlib.ExitStack() as ours:
        if terminal:
            ours.enter_context(raw(stdin))
            ours.enter_context(resizing(stdin, lambda: sizes.append(True)))
        _copy(stream, stdin, sizes)
    return stream


def _copy(stream: Exec, stdin: int, sizes: list[bool]) -> None:
    """Copy both ways until the command ends."""
    sources = [stream.fileno(), stdin]
    while not stream.ended and stream.exit_code is None:
        with contextlib.suppress(ServerError):  # what it does not want, since it has ended, shows when we read
            if sizes:
                sizes.clear()
                stream.resize(*os.get_terminal_size(stdin))
            ready = sources[:1] if stream.is_readable(0) else select.select(sources, [], [], RESIZED_S)[0]
            if stdin in ready and not _pass_on(stream, stdin):
                sources.remove(stdin)
        if sources[0] in ready:
            channel, content = stream.receive()
            write(sys.stderr.fileno() if channel == STDERR else sys.stdout.fileno(), content)


def _pass_on(stream: Exec, stdin: int) -> bool:
    """Send what was typed, and say whether more may come."""
    keys = os.read(stdin, READ_BYTES)
    if keys:
        stream.send(STDIN, keys)
    else:
        stream.close_stdin()
    return bool(keys)
