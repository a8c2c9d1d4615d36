"""The summary of a run: its figures, and the warnings that its reader must see."""

from __future__ import annotations

from dataclasses import replace

from mattermost_load_test.reporting.run_summary import Lateness, RunSummary, Websockets, render, warnings
from mattermost_load_test.timings.health import WorkerHealth

GOOD = RunSummary(
    scenario="all",
    server_url="http://localhost:8065",
    server_version="11.6.0",
    instance_id="cr6sryzw8jg39ct79peqzuj9ya",
    duration_s=60.04,
    entities_wanted=100,
    entities_started=100,
    actions_achieved=1485,
    actions_intended=1500.4,
    requests=9000,
    lateness=Lateness(0.4, 1.2, 12.5),
    workers=(WorkerHealth(0, 50, 12.0, 1.25, 30.2), WorkerHealth(1, 50, 13.0, 2.5, 28.0)),
    websockets=Websockets(events=5000, reconnects=3),
)


def test_a_good_run_reads_without_warnings() -> None:
    """Every figure stands in a line of its own, each name once, and nothing warns."""
    lines = dict(line.split("  ", 1) for line in render(GOOD).splitlines())
    figures = {name.strip(): value.strip() for name, value in lines.items()}
    assert figures == {
        "Scenario": "all on http://localhost:8065 (Mattermost 11.6.0)",
        "Agent": "cr6sryzw8jg39ct79peqzuj9ya",
        "Duration": "1 min 0.0 s",
        "Entities": "100 of 100",
        "Actions": "1,485 achieved of 1,500 intended (99.0%)",
        "Requests": "9,000 (149.9/s), 0 errors",
        "Lateness": "p50 0.4 ms, p95 1.2 ms, p99 12.5 ms",
        "Workers": "2, up to 30 % of a core (worker 0), loop lag p99 up to 2.5 ms (worker 1)",
        "Websockets": "5,000 events, 0 missed, 0 dropped, 3 reconnects",
    }
    assert GOOD.saturation == ()


def test_what_failed_is_counted_by_kind_the_most_first() -> None:
    """Errors of requests, failed and skipped actions each have a line with their counts."""
    text = render(
        replace(
            GOOD,
            request_errors={"404": 2, "timeout": 7},
            failed_actions={"timeout": 5},
            skipped={"post": 1},
        )
    )
    assert "Requests    9,000 (149.9/s), 9 errors" in text
    assert "Errors      timeout: 7, 404: 2" in text
    assert "Failed      timeout: 5" in text
    assert "Skipped     post: 1" in text


def test_an_agent_that_was_late_is_saturated() -> None:
    """Lateness p99 above its limit makes the summary say that the figures are not to be trusted."""
    late = replace(GOOD, lateness=Lateness(20.0, 400.0, 1234.0))
    assert "agent saturated" in warnings(late)[0]
    assert "1,234 ms" in warnings(late)[0]
    assert replace(GOOD, lateness=Lateness(20.0, 400.0, 1000.0)).saturation == ()


def test_an_agent_that_dropped_events_is_saturated() -> None:
    """Events dropped by the agent itself say the same, as the load was lighter than it seems."""
    dropping = WorkerHealth(0, 50, 12.0, 1.25, 30.2, dropped_events=3)
    assert "3 websocket events" in replace(GOOD, workers=(dropping,)).saturation[0]


def test_skipped_actions_warn_above_one_in_a_hundred() -> None:
    """Up to one per cent of skipped actions is normal; beyond, the population does not fit."""
    skipped_15 = replace(GOOD, skipped={"post": 14})
    assert warnings(skipped_15) == []
    assert "1.3% of the actions had nothing to act on" in warnings(replace(GOOD, skipped={"post": 12, "search": 8}))[0]


def test_entities_that_could_not_log_in_are_told() -> None:
    """Fewer entities than wanted is a lighter load than it seems: the summary says so."""
    assert "3 of 100 entities could not log in" in warnings(replace(GOOD, entities_started=97))[0]


def test_an_interrupted_run_and_what_the_server_lacks_are_told() -> None:
    """The duration says that the run was interrupted; the notes of the set-up come last."""
    text = render(replace(GOOD, interrupted=True, notes=("webhook entities fail.",)))
    assert "1 min 0.0 s, interrupted" in text
    assert text.endswith("WARNING: webhook entities fail.\n")
