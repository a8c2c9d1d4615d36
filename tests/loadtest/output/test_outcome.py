"""What a run leaves behind: the report, and the error that decides the exit code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mattermost_load_test.config import Configuration, LoadedConfiguration
from mattermost_load_test.errors import ConfigurationError, InterruptedRunError, LoadTestError, OutputError
from mattermost_load_test.loadtest.cast import roles
from mattermost_load_test.loadtest.coordination import AgentPlace
from mattermost_load_test.loadtest.output.outcome import error_of, report_of
from mattermost_load_test.loadtest.plan import plan_run
from mattermost_load_test.loadtest.scenarios import SCENARIOS
from mattermost_load_test.logs import Log, Wanted, open_file
from mattermost_load_test.reporting.run_summary import Lateness, RunSummary
from mattermost_load_test.timings.records import ResultsWriter, Sample

AGENT = "cr6sryzw8jg39ct79peqzuj9ya"

GOOD = RunSummary(
    scenario="all",
    server_url="http://localhost:8065",
    server_version="11.6.0",
    instance_id=AGENT,
    duration_s=60.0,
    entities_wanted=100,
    entities_started=100,
    actions_achieved=1485,
    actions_intended=1500.0,
    requests=9000,
    lateness=Lateness(),
)


@pytest.mark.parametrize(
    ("summary", "stopped", "code", "words"),
    [
        (GOOD, InterruptedRunError("stopped by Ctrl-C"), 130, "written and reported"),
        (GOOD, OutputError("the disk is full"), 1, "the disk is full"),
        (replace(GOOD, requests=0, entities_started=0), None, 1, "none of the 100 entities could log in"),
        (replace(GOOD, requests=0), None, 1, "shorter than the time to the first action"),
        (replace(GOOD, requests=7, request_errors={"500": 7}), None, 1, "not one of 7 requests succeeded (500: 7)"),
        (replace(GOOD, lateness=Lateness(1, 2, 1500)), None, 4, "could not keep up"),
        (replace(GOOD, deaths=("worker 1 was killed",), lateness=Lateness(1, 2, 1500)), None, 1, "worker 1 was killed"),
        (replace(GOOD, lateness=Lateness(1, 2, 1500)), InterruptedRunError("stopped"), 130, "stopped"),
    ],
)
def test_the_first_thing_that_counts_decides(
    summary: RunSummary, stopped: LoadTestError | None, code: int, words: str
) -> None:
    """What ended the run early comes first, then a run without success, then an agent that was late."""
    error = error_of(summary, stopped)
    assert error is not None
    assert error.exit_code == code
    assert words in str(error)


def test_a_good_run_ends_without_an_error() -> None:
    """Some failed requests are figures, not a failure of the run."""
    assert error_of(replace(GOOD, request_errors={"500": 12}), None) is None


def samples_of(path: Path, instance_id: str) -> Path:
    """Write a log of one agent with three samples."""
    log = Log([open_file(path, Wanted(None, as_json=True, data=True))])
    writer = ResultsWriter([log], instance_id, lambda: 0.0)
    for duration_ms in (1.0, 2.0, 3.0):
        writer.add(Sample("GET /users/me", 0.0, duration_ms))
    writer.flush()
    log.close()
    return path


def test_the_report_has_heading_figures_and_last_the_summary(tmp_path: Path) -> None:
    """CustomReportText heads it; of the log only this agent's samples count."""
    text = report_of(GOOD, samples_of(tmp_path / "log", AGENT), "Friday's build").text
    assert text.startswith("Friday's build\n\n--------- Timings Report ------------")
    assert "Total Hits: 3" in text
    assert text.endswith("Websockets  0 events, 0 missed, 0 dropped, 0 reconnects\n")
    assert report_of(GOOD, samples_of(tmp_path / "other", "another agent"), "").text.startswith("Scenario ")


def test_samples_that_are_gone_are_an_error(tmp_path: Path) -> None:
    """A log that somebody deleted during the run is told."""
    with pytest.raises(OutputError, match="cannot be read again"):
        report_of(GOOD, tmp_path / "gone", "")


def test_a_plan_gives_every_entity_its_own_user() -> None:
    """The second of three agents plays the second share of the users; its results go by its id."""
    keys = {"NumActiveEntities": 5}
    configuration = Configuration.model_validate({"UserEntitiesConfiguration": keys})
    plan = plan_run("all", LoadedConfiguration(configuration, None, ()), AgentPlace(1, 3), AGENT)
    assert plan.first_entity == 5
    assert list(plan.users) == [5, 6, 7, 8, 9]
    assert plan.instance_id == AGENT
    assert plan.health_limits.lateness_ms == 1000


def test_the_lateness_allowed_is_at_most_the_action_interval() -> None:
    """With an action every 200 ms an agent that is 300 ms late does not keep up."""
    configuration = Configuration.model_validate({"UserEntitiesConfiguration": {"ActionRateMilliseconds": 200}})
    plan = plan_run("all", LoadedConfiguration(configuration, None, ()), AgentPlace(), AGENT)
    assert plan.health_limits.lateness_ms == 200


def test_too_many_entities_are_a_configuration_error() -> None:
    """Nobody is played twice."""
    configuration = Configuration.model_validate({"UserEntitiesConfiguration": {"NumActiveEntities": 1001}})
    with pytest.raises(ConfigurationError, match="NumUsers"):
        plan_run("all", LoadedConfiguration(configuration, None, ()), AgentPlace(), AGENT)


def test_two_agents_have_the_mix_that_one_would_have() -> None:
    """Kinds follow the number of the entity among all agents' entities."""
    scenario = SCENARIOS["all"]
    together = [role.kind for role in roles(scenario, range(30), 0)]
    apart = [role.kind for first in (0, 15) for role in roles(scenario, range(first, first + 15), first)]
    assert apart == together
    assert together.count("Webhook") == 3
