"""How far an import is, in words, and how long it will still take at its pace so far."""

from __future__ import annotations

from collections.abc import Callable

from mattermost_load_test.mattermost.importing import IMPORTING, ImportProgress


class ImportPace:
    """Watches an import; `now_s` is a clock that never goes back."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._begun_s = now_s()

    def words(self, now: ImportProgress) -> str:
        """Return how far an import is."""
        if now.step == "waiting":
            return f"waiting, {now.note or 'the server has not begun yet'}"
        extent = f"{now.step}, {now.done:,}" + (f" of {now.total:,}" if now.total else "")
        return extent + self._time_left(now) + (f" ({now.note})" if now.note else "")

    def _time_left(self, now: ImportProgress) -> str:
        """Return what is left at the pace since the last moment without one user imported; nothing before that."""
        if now.step != IMPORTING or not now.done:
            self._begun_s = self._now_s()
            return ""
        elapsed_s = self._now_s() - self._begun_s
        if now.done >= now.total or elapsed_s <= 0:
            return ""
        left_s = elapsed_s / now.done * (now.total - now.done)
        return f", about {duration(left_s)} left"


def duration(seconds: float) -> str:
    """Return a length of time as people say it: ``40 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
