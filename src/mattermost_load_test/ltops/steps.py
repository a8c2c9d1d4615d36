"""Work on a cluster as data: stages, one after the other, of steps that run side by side.

That is what lets every command be run again (a step that is not pending is left out), show what it would do, and go on
with the others when one fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from mattermost_load_test.errors import InterruptedRunError, LoadTestError, ServerError, StepsFailedError
from mattermost_load_test.ltops.progress import Progress

MAX_AT_ONCE = 32

Tell = Callable[[str], None]
"""Takes a few words on how far a step is."""


def always() -> bool:
    """Say that a step is to be done."""
    return True


@dataclass(frozen=True, slots=True)
class Step:
    """Something to be done to one part of a cluster.

    `subject` is an instance or another part (``app-0``, ``network``), `what` completes "to …" (``start nginx``).
    `pending` says, without changing anything, whether it still has to be done.
    """

    subject: str
    what: str
    do: Callable[[Tell], None]
    pending: Callable[[], bool] = always


Stage = Sequence[Step]
"""Steps that do not need each other."""


def pending(stages: Iterable[Stage]) -> list[Step]:
    """Return the steps that are still to be done."""
    return [step for stage in stages for step in stage if step.pending()]


def carry_out(stages: Iterable[Stage], progress: Progress, kept: Callable[[], None], again: str) -> int:
    """Do what is pending, stage by stage, and return how many steps that were; `kept` is called after each stage.

    When steps fail the others of their stage end, no further stage begins, and it raises the one step's own error, or
    `StepsFailedError` for several; `again` is the command that goes on from there. Ctrl-C is passed on to the steps,
    and raises `InterruptedRunError` when they have ended.
    """
    done = 0
    for stage in stages:
        steps = [step for step in stage if step.pending()]
        try:
            failures = _side_by_side(steps, progress)
        except KeyboardInterrupt:
            raise InterruptedRunError(f"interrupted; `{again}` goes on from here") from None
        finally:
            kept()
        if failures:
            raise _failure(failures, again)
        done += len(steps)
    return done


def _side_by_side(steps: Sequence[Step], progress: Progress) -> list[tuple[Step, LoadTestError]]:
    """Do steps in threads and return those that failed."""
    if not steps:
        return []
    failures = []
    with ThreadPoolExecutor(max_workers=min(MAX_AT_ONCE, len(steps))) as pool:
        try:
            for step, failure in zip(steps, pool.map(lambda step: _one(step, progress), steps), strict=True):
                if failure is not None:
                    failures.append((step, failure))
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            progress.warn("interrupted: what is begun ends in good order first")
            progress.interrupt()
            raise
    return failures


def _one(step: Step, progress: Progress) -> LoadTestError | None:
    """Do one step and return how it failed, if it did; anything but our own errors is a defect and raised."""
    progress.began(step.subject, step.what)
    try:
        step.do(lambda words: progress.tell(step.subject, f"{step.what}: {words}"))
    except LoadTestError as error:
        progress.failed(step.subject, f"{step.what}: {error}")
        return error
    progress.ended(step.subject, step.what)
    return None


def _failure(failures: Sequence[tuple[Step, LoadTestError]], again: str) -> LoadTestError:
    """Return the error for steps that failed."""
    lines = [f"{step.subject}: {step.what}: {error}" for step, error in failures]
    text = (
        f"{lines[0]}. `{again}` goes on from here"
        if len(lines) == 1
        else "\n  ".join([f"{len(lines)} steps failed; `{again}` goes on from here:", *lines])
    )
    codes = {error.exit_code for _, error in failures}
    if codes == {ServerError.exit_code}:
        return ServerError(text)
    return type(failures[0][1])(text) if codes == {2} and len(failures) == 1 else StepsFailedError(text)
