"""Where values lie on an axis, and which of them are written beside it."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10

_TIME_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_MOST_TIME_TICKS = 8


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: `place` is in percent of its length, from the left or from the top."""

    label: str
    place: float


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear axis from `low` to `high`."""

    low: float
    high: float

    def share(self, value: float) -> float:
        """Return where `value` lies, 0 to 1, those outside at the ends."""
        if self.high <= self.low:
            return 0.0
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)


def value_axis(largest: float, most_ticks: int = 4) -> tuple[Scale, list[Tick]]:
    """Return an axis from 0 to a round value no less than `largest`, with ticks at 1, 2 or 5 times a power of ten."""
    step = _round_step((largest or 1.0) / most_ticks)
    steps = max(1, -floor(-(largest or 1.0) / step))
    top = step * steps
    ticks = [Tick(number(step * index), round(100 - 100 * index / steps, 2)) for index in range(steps + 1)]
    return Scale(0.0, top), ticks


def time_axis(first_s: float, last_s: float) -> tuple[Scale, list[Tick]]:
    """Return an axis over a run, with ticks at whole minutes, or whatever suits its length."""
    length_s = max(last_s - first_s, 1.0)
    fitting = (step for step in _TIME_STEPS_S if length_s / step <= _MOST_TIME_TICKS)
    step_s = next(fitting, length_s / _MOST_TIME_TICKS)
    scale = Scale(first_s, first_s + length_s)
    first_tick = -floor(-first_s / step_s)
    count = int((scale.high - first_tick * step_s) / step_s) + 1
    moments = [(first_tick + index) * step_s for index in range(count)]
    return scale, [Tick(clock(moment_s), round(100 * scale.share(moment_s), 2)) for moment_s in moments]


def clock(seconds: float) -> str:
    """Return a time of a run as minutes and seconds, hours before them where there are any."""
    sign = "-" if seconds < 0 else ""
    minutes, rest = divmod(round(abs(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours}:{minutes:02}:{rest:02}" if hours else f"{sign}{minutes}:{rest:02}"


def number(value: float) -> str:
    """Return a value for people: three digits that count, thousands apart."""
    if value == 0:
        return "0"
    decimals = max(0, 2 - floor(log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that is not below `least`."""
    power = 10.0 ** floor(log10(least))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * (1 - 1e-9))
