"""How the programs of a local cluster are told apart, and what they say when they end."""

from __future__ import annotations

from pathlib import Path

from mattermost_load_test.errors import OperationError
from mattermost_load_test.ltops.supervision import Program, ProgramState, Supervisor

WORDS_MAX = 300


def ended(supervisor: Supervisor, program: Program) -> str | None:
    """Return why a program does not run, None while it does."""
    try:
        state = supervisor.states().get(program.name)
    except OperationError as error:
        return str(error)
    return None if state is not None and state.running else end_of(state, program.log)


def end_of(state: ProgramState | None, log: Path) -> str:
    """Return in words how a program ended."""
    if state is None:
        return "it is not started"
    how = "was killed" if state.exit_code < 0 else f"ended with exit code {state.exit_code}"
    return f"its process {how}; {last_words(log)}"


def last_words(log: Path) -> str:
    """Return the last line of a log, and where that is."""
    try:
        lines = log.read_text(errors="replace").splitlines()[-1:]
    except OSError:
        lines = []
    said = f"it said: {lines[0].strip()[:WORDS_MAX]}" if lines else "it said nothing"
    return f"{said} ({log})"
