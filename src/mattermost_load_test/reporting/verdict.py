"""The answer to "was it good?": in one line, and what a comparison says of each figure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mattermost_load_test.counts import counted
from mattermost_load_test.timings.comparison import ERROR_RATE, Difference, Outcome, RouteComparison, Verdict

from .report import Report


class Grade(StrEnum):
    """How a run did, as far as can be told."""

    GOOD = "good"
    BAD = "bad"
    DOUBTFUL = "doubtful"
    OPEN = "open"  # nobody said what would be good


@dataclass(frozen=True, slots=True)
class Headline:
    """The verdict on a run, in words."""

    grade: Grade
    text: str


def headline(report: Report) -> Headline:
    """Return the verdict on a run: gates come first, and a saturated agent's run is never called good."""
    failed, total = len(report.failed_gates), len(report.gates)
    if failed:
        return Headline(Grade.BAD, f"{failed} of {counted(total, 'gate')} failed")
    if report.saturation:
        return Headline(Grade.DOUBTFUL, f"Not to be trusted: {'; '.join(report.saturation)}")
    compared = _compared(report)
    if compared is not None and compared.grade is not Grade.GOOD:
        return compared
    if total:
        passed = f"{counted(total, 'gate')} passed" if total == 1 else f"All {counted(total, 'gate')} passed"
        return Headline(Grade.GOOD, passed if compared is None else f"{passed}; {compared.text}")
    return compared or Headline(Grade.OPEN, "No gate was set: nothing says what would be good")


def _compared(report: Report) -> Headline | None:
    """Return what the comparison says of the whole run, if there is one."""
    if report.comparison is None:
        return None
    counts: dict[Verdict, int] = {}
    for route in report.comparison.routes.values():
        counts[route.verdict] = counts.get(route.verdict, 0) + 1
    listed = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if verdict in counts)
    outcome = report.comparison.outcome
    said = {
        Outcome.WORSE: (Grade.BAD, "Worse than the baseline"),
        Outcome.BETTER: (Grade.GOOD, "Better than the baseline"),
        Outcome.SAME: (Grade.GOOD, "No change that matters against the baseline"),
        Outcome.UNTESTED: (Grade.DOUBTFUL, "Too few samples to be compared with the baseline"),
    }[outcome]
    return Headline(said[0], f"{said[1]} (routes: {listed})")


def change_of(comparison: RouteComparison | None, figure: str) -> str:
    """Return what a comparison says of one figure of a route: ``worse (+3.1 to +5.2 ms)``; nothing where untested."""
    found = comparison.difference(figure) if comparison is not None else None
    return "" if found is None else f"{found.change} ({interval(found)})"


def interval(difference: Difference) -> str:
    """Return the interval of a difference with its unit: ``+3.10 to +5.20 ms``, ``+0.10 to +0.30 points``."""
    low, high = difference.shift.low, difference.shift.high
    if difference.figure == ERROR_RATE:
        return f"{low * 100:+.2f} to {high * 100:+.2f} points"
    return f"{low:+.2f} to {high:+.2f} ms"


def change(difference: Difference) -> str:
    """Return how far a figure moved: ``+12.1 %``, in milliseconds where that was 0; an error rate in points."""
    shift = difference.shift
    if difference.figure == ERROR_RATE:
        return f"{(shift.after - shift.before) * 100:+.2f} points"
    return f"{(shift.after / shift.before - 1) * 100:+.1f} %" if shift.before else f"{shift.after:+.2f} ms"
