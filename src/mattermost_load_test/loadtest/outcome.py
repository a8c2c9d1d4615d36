"""What a run leaves behind: its report, and the error that the command ends with, if any."""

from __future__ import annotations

from pathlib import Path

from mattermost_load_test.errors import (
    AgentSaturatedError,
    InterruptedRunError,
    LoadTestError,
    OperationError,
    OutputError,
)
from mattermost_load_test.reporting import run_summary, text
from mattermost_load_test.reporting.report import Report
from mattermost_load_test.reporting.run_summary import RunSummary
from mattermost_load_test.timings.reading import read_log


def report_of(summary: RunSummary, samples_path: Path, heading: str) -> str:
    """Return the report of a run: `heading` if any, the figures of every route, and last, where eyes are, the summary.

    Raises `OutputError` when the samples cannot be read again.
    """
    try:
        with samples_path.open("rb") as stream:
            log = read_log(stream, str(samples_path))
    except OSError as error:
        raise OutputError(f"{samples_path}, the run's own log, cannot be read again: {error.strerror}") from error
    instance = log.instances.get(summary.instance_id)
    figures = text.render(Report.of(instance.timings)) if instance is not None and instance.timings.routes else ""
    parts = (heading, figures, run_summary.render(summary))
    return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"


def error_of(summary: RunSummary, stopped: LoadTestError | None) -> LoadTestError | None:
    """Return the error that a run ends with: what ended it early, nothing achieved, a worker died, saturation."""
    if isinstance(stopped, InterruptedRunError):
        return InterruptedRunError(f"{stopped}: what was measured until then is written and reported")
    if stopped is not None:
        return stopped
    errors = sum(summary.request_errors.values())
    if summary.requests == errors:
        return OperationError(_nothing_achieved(summary, errors))
    if summary.deaths:
        return OperationError("; ".join(summary.deaths))
    if summary.saturation:
        return AgentSaturatedError(
            f"the agent could not keep up, its figures are not to be trusted: {'; '.join(summary.saturation)}. "
            "Give it fewer entities or a longer action interval, or spread them over more agents"
        )
    return None


def _nothing_achieved(summary: RunSummary, errors: int) -> str:
    """Return why a run without one good answer is worth nothing."""
    if not summary.entities_started:
        return f"none of the {summary.entities_wanted} entities could log in; the log says why"
    if not errors:
        return (
            "no entity did anything: the test was shorter than the time to the first action; lower "
            "UserEntitiesConfiguration.ActionRateMilliseconds or raise TestLengthMinutes"
        )
    kinds = ", ".join(f"{kind}: {count}" for kind, count in sorted(summary.request_errors.items()))
    return f"not one of {errors} requests succeeded ({kinds}); the log says why"
