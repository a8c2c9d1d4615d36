"""What a run leaves behind: its report, and the error that the command ends with, if any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mattermost_load_test.counts import counted
from mattermost_load_test.errors import (
    AgentSaturatedError,
    GateFailedError,
    InterruptedRunError,
    LoadTestError,
    OperationError,
    OutputError,
)
from mattermost_load_test.gates import Facts, Gate, GateResult, failure_of, judge
from mattermost_load_test.reporting import run_summary, text
from mattermost_load_test.reporting.facts import facts_of
from mattermost_load_test.reporting.report import Report
from mattermost_load_test.reporting.run_summary import RunSummary
from mattermost_load_test.timings.reading import read_log
from mattermost_load_test.timings.stats import Timings


@dataclass(frozen=True, slots=True)
class RunReport:
    """What is shown of a run, and the gates that it did not pass."""

    text: str
    failed: tuple[GateResult, ...] = ()


def report_of(summary: RunSummary, samples_path: Path, heading: str, gates: Sequence[Gate] = ()) -> RunReport:
    """Return the report of a run: `heading` if any, gates, the figures of every route, and last the summary.

    Raises `OutputError` when the samples cannot be read again.
    """
    try:
        with samples_path.open("rb") as stream:
            log = read_log(stream, str(samples_path))
    except OSError as error:
        raise OutputError(f"{samples_path}, the run's own log, cannot be read again: {error.strerror}") from error
    instance = log.instances.get(summary.instance_id)
    timings = instance.timings if instance is not None else Timings()
    results = judge(gates, _facts(summary, timings)) if gates else ()
    report = replace(Report.of(timings), gates=results)
    parts = (heading, text.render(report) if timings.routes or gates else "", run_summary.render(summary))
    shown = "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"
    return RunReport(shown, report.failed_gates)


def _facts(summary: RunSummary, timings: Timings) -> Facts:
    """Return what gates are decided on."""
    intended = summary.actions_intended
    return facts_of(
        timings,
        duration_s=summary.duration_s,
        achieved_share=summary.actions_achieved / intended if intended else None,
        saturation=summary.saturation,
    )


def error_of(
    summary: RunSummary, stopped: LoadTestError | None, failed: Sequence[GateResult] = ()
) -> LoadTestError | None:
    """Return the error that a run ends with: what ended it early, nothing achieved, a death, gates, saturation."""
    if isinstance(stopped, InterruptedRunError):
        return InterruptedRunError(f"{stopped}: what was measured until then is written and reported")
    if stopped is not None:
        return stopped
    errors = sum(summary.request_errors.values())
    if summary.requests == errors:
        return OperationError(_nothing_achieved(summary, errors))
    if summary.deaths:
        return OperationError("; ".join(summary.deaths))
    if failed:
        return GateFailedError(failure_of(failed))
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
    return f"not one of {counted(errors, 'request')} succeeded ({kinds}); the log says why"
