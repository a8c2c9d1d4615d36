"""What the three commands share: how an error is shown, and with which exit code the process ends.

Every command is a `CommandGroup`, and its `main` calls it::

    @click.group(cls=CommandGroup, context_settings=CONTEXT_SETTINGS)
    @version_option
    def cli() -> None: ...

    def main() -> None:
        cli(prog_name="ltparse")

An error of this toolkit becomes one message on stderr and its own exit code, Ctrl-C 130, wrong use 2, a full disk 1;
a reader of our output that went away (``ltparse results | head``) brings no message at all. Any other exception is a
defect and keeps its traceback.
"""

from __future__ import annotations

import errno
import os
import select
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from pkgutil import resolve_name
from typing import IO, Any, NoReturn, TextIO, TypeVar

import click

from mattermost_load_test import __version__
from mattermost_load_test.errors import LoadTestError, ResultsFileError, UsageError
from mattermost_load_test.gates import Gate, parse, parse_file

CONTEXT_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 120}

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130
STUCK_S = 5.0
Command = TypeVar("Command", bound=Callable[..., Any])

_WHOLE_SENTENCE = 1000  # characters: no first sentence is longer
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}


def version_option(command: Command) -> Command:
    """Give a command `--version`; click's own option keeps the name of the first program that it was asked by."""
    return click.version_option(__version__, "--version", message="%(prog)s %(version)s")(command)


class Number(click.FloatRange):
    """A number in a range; to click's own type, nan is in every range, and inf in those without an end."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read a number; fails as click's own types do."""
        number: float = super().convert(value, param, ctx)
        if not isfinite(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


_FAIL_ON, _ABORT_ON = "--fail-on", "--abort-on"
fail_on_option = click.option(
    _FAIL_ON,
    "expressions",
    metavar="EXPR",
    multiple=True,
    help="End with exit code 99 when this holds, such as 'p95 > 500ms'. May be given several times.",
)
gates_option = click.option(
    "--gates", "gates_file", metavar="FILE", type=click.Path(path_type=Path), help="A file of such gates, one a line."
)
abort_on_option = click.option(
    _ABORT_ON,
    "abort_expressions",
    metavar="EXPR",
    multiple=True,
    help="The same, and end the run as soon as it holds, ten seconds into the run at the earliest.",
)


def gates_of(
    expressions: Sequence[str], path: Path | None = None, *, compares: bool = False, option: str = _FAIL_ON
) -> tuple[Gate, ...]:
    """Return the gates asked for on the command line and in a file.

    Raises `UsageError` for those that cannot be read, or that compare where there is nothing to compare with.
    """
    gates = [parse(expression, option) for expression in expressions]
    if path is not None:
        gates += parse_file(_text_of(path), str(path))
    for gate in gates:
        if gate.needs_baseline and not compares:
            raise UsageError(
                f"the gate '{gate.text}' compares with a baseline, and there is none; "
                "`ltparse results` takes one with --baseline"
            )
    return tuple(gates)


def abort_gates_of(expressions: Sequence[str]) -> tuple[Gate, ...]:
    """Return the gates that end a run; raises `UsageError` likewise."""
    return gates_of(expressions, option=_ABORT_ON)


def _text_of(path: Path) -> str:
    """Return what a file of gates holds."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ResultsFileError(f"{path}, a file of gates, cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ResultsFileError(f"{path} is no file of gates: it is not text in UTF-8") from error


class ShownError(click.ClickException):
    """An error on its way to the user: click prints its message on stderr and ends with its `exit_code`."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it from the instance

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message, unless it would be for a stderr that takes nothing: the command must end all the same."""
        if file is not None or _takes_text(sys.stderr):
            super().show(file)


class CommandGroup(click.Group):
    """A group of commands whose errors are shown as this module says, however deep they come from.

    `lazy` names commands that are imported when they are wanted: a name, and the place of its `click.Command`, or of
    what makes one of the name, as ``package.module:attribute``. What one command needs costs the others no start-up.
    """

    def __init__(self, *args: Any, lazy: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = dict(lazy or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted({*super().list_commands(ctx), *self._lazy})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, imported now if it was not yet."""
        if cmd_name not in self._lazy:
            return super().get_command(ctx, cmd_name)
        found = resolve_name(self._lazy[cmd_name])
        command: click.Command = found if isinstance(found, click.Command) else found(cmd_name)
        return command

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the command line; ``--help`` and ``--version`` print and end here."""
        _open_closed_streams()
        with _errors_shown():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        with _errors_shown():
            result = super().invoke(ctx)
            sys.stdout.flush()  # a full disk is noticed here, not in the interpreter's last breath
            return result

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands, each with the whole first sentence of its help, which click would cut to one line."""
        names = self.list_commands(ctx)
        commands = {name: command for name in names if (command := self.get_command(ctx, name)) and not command.hidden}
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.get_short_help_str(_WHOLE_SENTENCE)) for name, one in commands.items()])


def _open_closed_streams() -> None:
    """Let the streams that were closed by who started us end in nowhere; else files of ours would get their numbers."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))


@contextmanager
def _errors_shown() -> Iterator[None]:
    """Raise what click shows to the user in place of our own errors."""
    try:
        yield
    except (LoadTestError, BaseExceptionGroup, KeyboardInterrupt, OSError) as error:
        _show(error)


def _show(error: BaseException) -> NoReturn:
    """Raise the `ShownError` that stands for `error`, or `error` itself where none does."""
    known = _first_known(error)
    if isinstance(known, LoadTestError):
        raise ShownError(str(known), known.exit_code) from error
    if isinstance(known, KeyboardInterrupt):
        raise ShownError("interrupted", EXIT_INTERRUPTED) from error
    if isinstance(known, OSError):
        _drop_unwritten(sys.stdout)
        where = f" while writing {known.filename}" if known.filename else ""
        raise ShownError(
            f"the disk is full{where} ({known.strerror}): free some space and run the command again", EXIT_FAILED
        ) from error
    raise error


def _first_known(error: BaseException) -> BaseException | None:
    """Return `error`, or the first inside a task group's bundle, that has a message of its own for the user.

    A bundle with a defect among its errors has none: its traceback must be seen.
    """
    if isinstance(error, BaseExceptionGroup):
        known = [_first_known(part) for part in error.exceptions]
        return known[0] if all(known) else None
    if isinstance(error, LoadTestError | KeyboardInterrupt):
        return error
    return error if isinstance(error, OSError) and error.errno in _DISK_FULL else None


def _takes_text(stream: TextIO) -> bool:
    """Say whether a stream takes a message within `STUCK_S`: a stopped terminal or an unread, full pipe does not."""
    try:
        return bool(select.select([], [stream.fileno()], [], STUCK_S)[1])
    except (OSError, ValueError):  # a stream in memory, as in tests
        return True


def _drop_unwritten(stream: TextIO) -> None:
    """Let `stream` end in nowhere, so that what it could not write is not tried, and complained of, again at exit."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):  # a stream in memory, as in tests
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
