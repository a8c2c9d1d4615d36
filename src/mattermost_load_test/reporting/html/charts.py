"""Charts as shapes: lines over time and histograms, each with its numbers for those who do not see it.

A chart is drawn in a plane of `WIDTH` by `HEIGHT` that is stretched to its place; words stand beside it in HTML, so
that they stay readable at any width. Lines of a baseline are dashed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log10

from mattermost_load_test.timings.distribution import CLASSES_PER_DECADE, EDGES_MS, Distribution

from .scales import Scale, Tick, clock, number, time_axis, value_axis

WIDTH, HEIGHT = 1000, 240
_MOST_BARS = 40


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart: points of time (seconds since the run's clock started) and value, None where there is none."""

    name: str
    color: str
    points: Sequence[tuple[float, float | None]]
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """A line or an area as it is drawn: `path` is that of SVG."""

    name: str
    color: str
    path: str
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """A part of a run, from `left` over `width`, in percent of the axis."""

    label: str
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the numbers of a chart, `place` being where it lies on the axis, in percent."""

    place: float
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart ready to be laid out."""

    title: str
    unit: str
    summary: str
    shapes: tuple[Shape, ...]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    head: tuple[str, ...]
    rows: tuple[Row, ...]
    bands: tuple[Band, ...] = ()


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a run between two moments, in seconds since its clock started."""

    name: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Frame:
    """What all charts over time share: the axis and the phases on it."""

    first_s: float
    last_s: float
    phases: tuple[Phase, ...] = ()


def line_chart(title: str, unit: str, lines: Sequence[Line], frame: Frame) -> Chart:
    """Return a chart of lines over time; the first line without dashes is what its summary tells of."""
    x, x_ticks = time_axis(frame.first_s, frame.last_s)
    values = [value for line in lines for _, value in line.points if value is not None]
    y, y_ticks = value_axis(max(values, default=0.0))
    return Chart(
        title,
        unit,
        _line_summary(title, unit, lines),
        tuple(Shape(line.name, line.color, _line_path(line, x, y), line.dashed) for line in lines),
        x_ticks,
        y_ticks,
        ("Time", *(line.name for line in lines)),
        tuple(_line_rows(lines, x)),
        tuple(_bands(frame, x)),
    )


def _line_path(line: Line, x: Scale, y: Scale) -> str:
    """Return the path of a line, which ends and begins anew where values are missing; a lone value is a short dash."""
    parts: list[str] = []
    pen_down = False
    for moment_s, value in line.points:
        if value is None:
            pen_down = False
            continue
        place = f"{x.share(moment_s) * WIDTH:.1f} {HEIGHT - y.share(value) * HEIGHT:.1f}"
        parts.append(f"L{place}" if pen_down else f"M{place}h.5")
        pen_down = True
    return "".join(parts)


def _line_rows(lines: Sequence[Line], x: Scale) -> Iterable[Row]:
    """Yield the numbers of a chart, a row for each moment of any line."""
    known = [dict(line.points) for line in lines]
    for moment_s in sorted({moment_s for line in known for moment_s in line}):
        cells = (_cell(line.get(moment_s)) for line in known)
        yield Row(round(100 * x.share(moment_s), 2), (clock(moment_s), *cells))


def _cell(value: float | None) -> str:
    """Return a number of a table; what is not there is a dash."""
    return "–" if value is None else number(value)


def _line_summary(title: str, unit: str, lines: Sequence[Line]) -> str:
    """Return what a chart shows, in one sentence."""
    said = []
    for line in lines:
        values = [value for _, value in line.points if value is not None]
        if values:
            mean = sum(values) / len(values)
            said.append(f"{line.name} from {number(min(values))} to {number(max(values))}, on average {number(mean)}")
    return f"{title} in {unit} over time: {'; '.join(said) or 'no values'}."


def _bands(frame: Frame, x: Scale) -> Iterable[Band]:
    """Yield the phases as parts of the axis."""
    for phase in frame.phases:
        left, right = x.share(phase.start_s), x.share(phase.end_s)
        if right > left:
            yield Band(phase.name, round(100 * left, 2), round(100 * (right - left), 2))


def histogram(title: str, actual: Distribution, baseline: Distribution | None) -> Chart:
    """Return the chart of how durations are spread: shares of all requests, by classes of equal ratio."""
    parts = [part for part in (actual, baseline) if part is not None and part.counts]
    first = min(part.first for part in parts)
    last = max(part.first + len(part.counts) for part in parts)
    step = -(-(last - first) // _MOST_BARS)
    edges = [*list(range(first, last, step)), first + -(-(last - first) // step) * step]
    shares = [_shares(part, edges) for part in parts]
    y, y_ticks = value_axis(100 * max(max(share) for share in shares), 3)
    shapes = [Shape("share", "bar", _bars(shares[0], y))]
    if baseline is not None and baseline.counts:
        shapes.append(Shape("baseline", "bar", _outline(shares[-1], y), dashed=True))
    names = ("From", "Requests", *(("Baseline",) if len(parts) > 1 else ()))
    return Chart(
        title,
        "% of requests",
        _histogram_summary(title, edges, shares[0]),
        tuple(shapes),
        _decades(edges),
        y_ticks,
        names,
        tuple(_histogram_rows(edges, parts, step)),
    )


def _shares(part: Distribution, edges: Sequence[int]) -> list[float]:
    """Return the share of durations between each edge and the next."""
    return [sum(map(part.at, range(low, high))) / part.total for low, high in itertools.pairwise(edges)]


def _bars(shares: Sequence[float], y: Scale) -> str:
    """Return the path of bars, a small gap between them."""
    width = WIDTH / len(shares)
    return "".join(
        f"M{index * width + width * 0.06:.1f} {HEIGHT}v-{y.share(100 * share) * HEIGHT:.1f}h{width * 0.88:.1f}"
        f"v{y.share(100 * share) * HEIGHT:.1f}z"
        for index, share in enumerate(shares)
        if share
    )


def _outline(shares: Sequence[float], y: Scale) -> str:
    """Return the path along the tops of bars."""
    width = WIDTH / len(shares)
    steps = "".join(f"V{HEIGHT - y.share(100 * share) * HEIGHT:.1f}h{width:.1f}" for share in shares)
    return f"M0 {HEIGHT}{steps}V{HEIGHT}"


def _decades(edges: Sequence[int]) -> list[Tick]:
    """Return ticks at powers of ten of a millisecond and between them, as far as they lie within the edges."""
    length = edges[-1] - edges[0]
    factors = (1, 2, 5) if length <= 1.5 * CLASSES_PER_DECADE else (1, 3) if length <= 3 * CLASSES_PER_DECADE else (1,)
    ticks = []
    for exponent in range(-2, 6):
        for factor in factors:
            place = CLASSES_PER_DECADE * _log_ratio(factor * 10.0**exponent)
            if edges[0] - 0.01 <= place <= edges[-1] + 0.01:
                ticks.append(Tick(duration(factor * 10.0**exponent), round(100 * (place - edges[0]) / length, 2)))
    return ticks


def _log_ratio(duration_ms: float) -> float:
    """Return how many decades a duration lies above the lowest edge."""
    return log10(duration_ms / EDGES_MS[0])


def duration(duration_ms: float) -> str:
    """Return a duration with the unit that suits it."""
    return f"{number(duration_ms / 1000)} s" if duration_ms >= 1000 else f"{number(duration_ms)} ms"


def _histogram_rows(edges: Sequence[int], parts: Sequence[Distribution], step: int) -> Iterable[Row]:
    """Yield the numbers of a histogram."""
    width = 100 / (len(edges) - 1)
    for index, low in enumerate(edges[:-1]):
        counts = [sum(map(part.at, range(low, low + step))) for part in parts]
        if any(counts):
            yield Row(round((index + 0.5) * width, 2), (duration(EDGES_MS[low]), *(f"{count:,}" for count in counts)))


def _histogram_summary(title: str, edges: Sequence[int], shares: Sequence[float]) -> str:
    """Return what a histogram shows, in one sentence."""
    highest = max(range(len(shares)), key=shares.__getitem__)
    low, high = EDGES_MS[edges[highest]], EDGES_MS[min(edges[highest + 1], len(EDGES_MS) - 1)]
    return f"{title}: most requests, {shares[highest]:.0%}, took {duration(low)} to {duration(high)}."
