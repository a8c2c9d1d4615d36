"""How often a comparison cries wolf between equal runs, and how often it sees a known slow-down.

    .venv/bin/python bench/comparing.py [--pairs 200]

Simulated pairs of runs of 10 minutes, 20 routes each, log-normal durations. In `independent` every sample is drawn by
itself; in `moods` the server slows down and recovers with a memory of 5 s, as real ones do: its log of speed is a
first-order autoregressive process. Beside each figure of ours stands that of a rank test (Mann-Whitney, Holm-corrected,
the same threshold), which takes samples for independent: that is what the stretches are for. The last tables have runs
that differ from day to day, as a whole or each route by itself: no test within two runs tells that from a change, but
several baselines can. `seen` is how often the changed route was called so, `false alarms` how often any of the others
was. Needs scipy (`make test` brings it).
"""

from __future__ import annotations

import argparse
from array import array
from collections.abc import Callable, Sequence

import numpy
from numpy.random import Generator, default_rng
from scipy.stats import mannwhitneyu

from mattermost_load_test.timings.comparison import SIGNIFICANCE, Change, RouteComparison, compare
from mattermost_load_test.timings.significance import holm
from mattermost_load_test.timings.stats import RouteTimings, Timings

ROUTES = 20
LENGTH_S = 600.0
MEMORY_S = 5.0
MEDIAN_MS, SPREAD = 40.0, 0.6
DAYS = 0.05  # by so much runs differ, as a standard deviation
BASELINES = (1, 2, 3, 5, 10)
Moods = Callable[[Generator], numpy.ndarray]
Test = Callable[[Timings, Timings], tuple[set[str], set[str]]]


def independent(random: Generator) -> numpy.ndarray:
    """Return the logarithm of a server's slowness, second by second, that is the same all the time."""
    return numpy.zeros(int(LENGTH_S))


def moods(random: Generator, deviation: float = 0.25) -> numpy.ndarray:
    """Return that of a server with good and bad stretches."""
    kept = numpy.exp(-1 / MEMORY_S)
    noise = random.normal(0, deviation * numpy.sqrt(1 - kept**2), int(LENGTH_S))
    level = numpy.empty_like(noise)
    level[0] = random.normal(0, deviation)
    for second in range(1, len(noise)):
        level[second] = kept * level[second - 1] + noise[second]
    return level


def run(
    random: Generator,
    per_route: int,
    level: numpy.ndarray,
    factor: float = 1.0,
    tail: float = 1.0,
    *,
    apart: float = 0.0,
) -> Timings:
    """Simulate a run; `factor` slows every request of the first route, `tail` a tenth of them.

    `apart` is how far each route by itself differs from day to day, as a standard deviation.
    """
    timings = Timings()
    for number in range(ROUTES):
        started_s = numpy.sort(random.uniform(0, LENGTH_S, per_route))
        logs = numpy.log(MEDIAN_MS) + SPREAD * random.normal(size=per_route) + level[started_s.astype(int)]
        durations_ms = numpy.exp(logs + (random.normal(0, apart) if apart else 0.0))
        if number == 0:
            durations_ms *= numpy.where(random.uniform(size=per_route) < 0.1, factor * tail, factor)
        timings.routes[f"GET /route/{number}"] = route_of(durations_ms, started_s)
    return timings


def route_of(durations_ms: numpy.ndarray, started_s: numpy.ndarray) -> RouteTimings:
    """Return samples as a log's reader gives them."""
    route = RouteTimings()
    route.add_many(len(durations_ms), 0, array("d", durations_ms.tolist()), {}, array("d", started_s.tolist()))
    return route


def by_ranks(before: Timings, after: Timings) -> tuple[set[str], set[str]]:
    """Return the routes that a rank test of every sample calls different, and those of them that differ enough."""
    names = sorted(before.routes)
    samples = {name: (before.routes[name].durations_ms, after.routes[name].durations_ms) for name in names}
    p_values = holm([float(mannwhitneyu(*samples[name]).pvalue) for name in names])
    different = {name for name, p_value in zip(names, p_values, strict=True) if p_value <= SIGNIFICANCE}
    medians = {name: tuple(map(numpy.median, samples[name])) for name in different}
    return different, {name for name, (old, new) in medians.items() if abs(new - old) >= max(1.0, 0.05 * old)}


def by_us(before: Timings, after: Timings) -> tuple[set[str], set[str]]:
    """Return the routes that our comparison calls different, and those of them that differ enough."""
    routes = compare(after, [before]).routes.items()
    different = {name for name, route in routes if any(one.p_value <= SIGNIFICANCE for one in route.differences)}
    return different, {name for name, route in routes if changed(route)}


def changed(route: RouteComparison) -> bool:
    """Say whether a comparison calls a route's figure worse or better."""
    return any(one.change in (Change.WORSE, Change.BETTER) for one in route.differences)


def shares(test: Test, pairs: Sequence[tuple[Timings, Timings]], slowed: bool) -> list[str]:
    """Return how often the slowed route was called so, and any other; the same by the test without the threshold."""
    verdicts = [test(*pair) for pair in pairs]
    truth = {"GET /route/0"} if slowed else set()
    seen = sum(truth <= called for _, called in verdicts) / len(pairs)
    false = sum(bool(called - truth) for _, called in verdicts) / len(pairs)
    noise = sum(bool(different - truth) for different, _ in verdicts) / len(pairs)
    return [f"{seen:.0%}" if slowed else "", f"{false:.1%}", f"{noise:.1%}"]


def table(title: str, level: Moods, pairs: int, cases: Sequence[tuple[str, int, float, float]]) -> None:
    """Simulate and print one kind of server, as a table in markdown."""
    print(f"\n{title}:\n")
    print(
        "| one route | samples | seen | false alarms | without threshold | rank test: seen | false alarms | without |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, per_route, factor, tail in cases:
        random = default_rng(20261126)
        simulated = [
            (run(random, per_route, level(random)), run(random, per_route, level(random), factor, tail))
            for _ in range(pairs)
        ]
        slowed = (factor, tail) != (1.0, 1.0)
        cells = [*shares(by_us, simulated, slowed), *shares(by_ranks, simulated, slowed)]
        print(f"| {name} | {per_route:,} | {' | '.join(cells)} |", flush=True)


def table_of_days(title: str, whole: float, apart: float, pairs: int) -> None:
    """Simulate and print runs that differ from day to day, beside one baseline or several, as a table in markdown."""
    print(f"\n{title}:\n")
    print("| baselines | false alarms | 10 % slower: seen | 20 % slower: seen | 50 % slower: seen |")
    print("|---|---|---|---|---|")
    for count in BASELINES:
        random = default_rng(20261126)

        def day(factor: float = 1.0, random: Generator = random) -> Timings:
            level = independent(random) + (random.normal(0, whole) if whole else 0.0)
            return run(random, 2000, level, factor, apart=apart)

        false, seen = 0, dict.fromkeys((1.1, 1.2, 1.5), 0)
        for _ in range(pairs):
            baselines = [day() for _ in range(count)]
            false += bool(called(day(), baselines))
            for factor in seen:
                seen[factor] += "GET /route/0" in called(day(factor), baselines)
        cells = [f"{false / pairs:.1%}", *(f"{times / pairs:.0%}" for times in seen.values())]
        print(f"| {count} | {' | '.join(cells)} |", flush=True)


def called(after: Timings, baselines: Sequence[Timings]) -> set[str]:
    """Return the routes that our comparison calls worse or better."""
    return {name for name, route in compare(after, baselines).routes.items() if changed(route)}


def main() -> None:
    """Print the tables of docs/comparing.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=200, help="simulated pairs of runs for each line")
    parser.add_argument("--days", action="store_true", help="only the tables of several baselines")
    options = parser.parse_args()
    pairs = options.pairs
    if not options.days:
        equal = [("none", 200, 1.0, 1.0), ("none", 2000, 1.0, 1.0)]
        slowed = [("10 % slower", 2000, 1.1, 1.0), ("20 % slower", 2000, 1.2, 1.0), ("50 % slower", 200, 1.5, 1.0)]
        tails = [("a tenth takes 3 times", 2000, 1.0, 3.0)]
        table("Independent samples", independent, pairs, equal + slowed + tails)
        table("A server with moods (memory of 5 s)", moods, pairs, equal + slowed + tails)

        def days(random: Generator) -> numpy.ndarray:
            return independent(random) + random.normal(0, DAYS)

        table("Runs that differ as a whole by 5 % (another day, another host)", days, pairs, equal[1:])
    table_of_days("Runs that differ as a whole by 5 %, beside several baselines", DAYS, 0.0, pairs)
    table_of_days("Runs of which each route by itself differs by 5 %, beside several baselines", 0.0, DAYS, pairs)
    table_of_days("Runs that differ by nothing but chance, beside several baselines", 0.0, 0.0, pairs)


if __name__ == "__main__":
    main()
