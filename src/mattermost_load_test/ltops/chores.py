"""A job that one agent does before a run, such as the bulk load, followed to its end; and how agents fail."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from pathlib import Path

import orjson

from mattermost_load_test.errors import (
    AgentSaturatedError,
    InterruptedRunError,
    LoadTestError,
    OperationError,
    ServerError,
    UsageError,
)
from mattermost_load_test.ltops.progress import Progress
from mattermost_load_test.ltops.providers.base import LOG_FILE, OUTPUT_FILE, Agents, AgentState, Job
from mattermost_load_test.ltops.results import Copy

CHORE_MAX_S = 12 * 3600.0
_POLL_S = 0.3
_OUTPUT_BYTES = 1 << 20
_ERRORS: dict[int, type[LoadTestError]] = {
    error.exit_code: error
    for error in (OperationError, UsageError, ServerError, AgentSaturatedError, InterruptedRunError)
}
_SUBJECT = "loadtest-0"
_WORDS = re.compile(r"^[\s|+-]*(\S*\w.*)$", re.MULTILINE)
"""The lines of an output that say something; those of a traceback's frame do not."""

_ERROR_LINE = re.compile(r"^Error: (.*)", re.MULTILINE | re.DOTALL)


def carry_out(agents: Agents, job: Job, what: str, log_path: Path, progress: Progress) -> None:
    """Let the first agent do `job` to its end, its log being copied to `log_path`.

    Raises the error that its exit code stands for, with its own words.
    """
    progress.began(_SUBJECT, what)
    log_path.unlink(missing_ok=True)
    agents.start(job)
    log = Copy(agents, job.id, 0, LOG_FILE, log_path)
    try:
        state = _followed(agents, job, what, log, progress)
    except KeyboardInterrupt:
        progress.failed(_SUBJECT, f"{what}: interrupted")
        with suppress(LoadTestError):
            agents.stop(job.id, 1)
        raise InterruptedRunError(f"{what}: interrupted, so there is no run; the same command begins anew") from None
    log.complete()
    failed = failure(agents, job.id, 0, state)
    agents.release(job.id)
    if failed:
        progress.failed(_SUBJECT, f"{what}: {failed}")
        raise type(failed)(f"{what}: {failed}; its log is {log_path}")
    progress.ended(_SUBJECT, what)


def _followed(agents: Agents, job: Job, what: str, log: Copy, progress: Progress) -> AgentState:
    """Tell what the first agent says until it has ended, and return how; raises `OperationError` when it does not."""
    deadline_s = time.monotonic() + CHORE_MAX_S
    while not (state := agents.states(job.id, 1)[0]).over:
        if said := last_message(log.fetch()):
            progress.tell(_SUBJECT, f"{what}: {said}")
        if time.monotonic() > deadline_s:
            agents.stop(job.id, 1)
            raise OperationError(f"{what}: not done within {CHORE_MAX_S / 3600:g} hours; its log is {log.path}")
        time.sleep(_POLL_S)
    return state


def failure(agents: Agents, job_id: str, index: int, state: AgentState) -> LoadTestError | None:
    """Return the error that an agent ended with, in its own words, None when all went well or it has not ended."""
    if state.phase == "lost":
        return OperationError(f"the agent was lost: {state.reason}")
    if not state.exit_code:
        return None
    output = agents.read(job_id, index, OUTPUT_FILE, 0)[-_OUTPUT_BYTES:].decode(errors="replace")
    said = _ERROR_LINE.search(output)
    words = said[1].strip() if said else ([*state.losses, *_WORDS.findall(output)] or ["it said nothing"])[-1]
    error = _ERRORS.get(state.exit_code, OperationError)
    return error(f"exit code {state.exit_code}: {words}")


def last_message(piece: bytes) -> str:
    """Return the last message in a piece of an agent's log, empty without one."""
    for line in reversed(piece.splitlines()):
        try:
            fields = orjson.loads(line)
        except ValueError:
            continue
        if isinstance(fields, dict) and isinstance(fields.get("msg"), str):
            detail = fields.get("detail")
            return f"{fields['msg']}: {detail}" if detail else str(fields["msg"])
    return ""
