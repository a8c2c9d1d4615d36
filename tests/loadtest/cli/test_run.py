"""Whole runs: what they do to the server, what they write, and how they end."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import Any

import pytest

from mattermost_load_test import __version__

AgentHere = Any
"""An `Agent` of the conftest beside."""


def ltparse(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `ltparse`."""
    code = "from mattermost_load_test.ltparse.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)


@pytest.mark.parametrize("library", ["httptools", "aiohttp"])
async def test_a_run_fills_an_empty_server_loads_it_and_reports(
    agent_here: AgentHere, embedded: Any, library: str
) -> None:
    """From a server just installed to the report: all phases succeed, without one error, on either transports."""
    held = {"httptools": "lean", "aiohttp": "websockets"}[library]
    agent_here.set(ConnectionConfiguration_HTTPTransport=library, ConnectionConfiguration_WebsocketTransport=held)
    ended = await agent_here.run("all")
    assert ended.code == 0, ended.stderr
    assert embedded.state.users.by_username["user11"]
    (begun,) = ended.told("Entities begin to act")
    assert begun["entities"] == 10
    assert "0 errors" in ended.stderr
    assert "Error Rate: 0.00%" in ended.stderr
    assert (agent_here.folder / "results.txt").read_text() == ended.stderr


async def test_stdout_is_a_log_that_ltparse_reads(agent_here: AgentHere) -> None:
    """`loadtest all > run.txt` holds JSON lines only, the settings among them, and gives the figures of the report."""
    ended = await agent_here.run("all")
    tags = [line["tag"] for line in ended.lines if "tag" in line]
    assert tags[0] == "report"
    assert {"run", "timings", "timings-login", "health"} == set(tags[1:])
    (origin,) = (line for line in ended.lines if line.get("tag") == "run")
    assert (origin["scenario"], origin["tool_version"]) == ("all", __version__)
    assert origin["server_version"].startswith("11.")
    assert tags.index("timings-login") < tags.index("timings")
    run = agent_here.folder / "run.txt"
    run.write_text(ended.stdout)
    shown = ltparse("results", "--file", str(run))
    assert shown.returncode == 0
    assert shown.stderr == ""
    assert shown.stdout.strip() in ended.stderr


async def test_no_secret_reaches_a_log(agent_here: AgentHere, embedded: Any) -> None:
    """Passwords and session tokens stand nowhere in what is written."""
    ended = await agent_here.run("all")
    written = ended.stdout + ended.stderr + agent_here.log.read_text()
    assert "adminsecret1" not in written
    assert "Loadtestpassword1" not in written
    tokens = list(embedded.state.sessions.by_token)
    assert tokens
    assert not [token for token in tokens if token in written]


async def test_set_up_is_no_sample_and_login_is_marked(agent_here: AgentHere) -> None:
    """The run's samples hold neither logins nor requests of the set-up; the login phase has its own lines."""
    ended = await agent_here.run("all")
    routes: dict[str, set[str]] = {"timings": set(), "timings-login": set()}
    for line in ended.lines:
        if "timings" in line:
            routes[line["tag"]] |= set(line["timings"]["Routes"])
    assert routes["timings-login"] == {"POST /users/login"}
    assert not routes["timings"] & {"POST /users/login", "GET /config", "POST /jobs", "POST /caches/invalidate"}
    assert "POST /channels/members/me/view" in routes["timings"]


async def test_a_second_run_finds_everything(agent_here: AgentHere) -> None:
    """Set-up is idempotent: nothing is changed or loaded again, and the first run's log is kept."""
    first = await agent_here.run("all")
    second = await agent_here.run("all")
    assert second.code == 0
    assert first.told("Importing what the server lacks of the population")
    assert not [
        line for line in second.lines if line["msg"].startswith(("Import", "Changed", "Gave", "Created", "Added"))
    ]
    logs = sorted(path.name for path in agent_here.folder.glob("loadtest*.log"))
    assert len(logs) == 2
    assert json.loads((agent_here.folder / logs[0]).read_text().splitlines()[0])["ts"] == first.lines[0]["ts"]


async def test_what_another_configuration_needs_is_added_by_name(agent_here: AgentHere, embedded: Any) -> None:
    """More users and channels than before: the new ones are imported, the old ones join the new channels."""
    assert (await agent_here.run("basic")).code == 0
    agent_here.set(LoadtestEnviromentConfig_NumUsers=15, LoadtestEnviromentConfig_NumChannelsPerTeam=6)
    ended = await agent_here.run("basic")
    assert ended.code == 0, ended.stderr
    (told,) = ended.told("Importing what the server lacks of the population")
    assert (told["teams"], told["channels"], told["users"]) == (0, 2, 3)
    assert ended.told("Added missing memberships of teams and channels")
    assert "0 errors" in ended.stderr


async def test_settings_and_roles_are_changed_and_said(agent_here: AgentHere, embedded: Any) -> None:
    """Every change of the server is a line old → new, the permission for webhooks among them."""
    sections = embedded.state.config.sections
    sections["TeamSettings"]["MaxUsersPerTeam"] = 50
    sections["ServiceSettings"]["EnableIncomingWebhooks"] = False
    messages = [line["msg"] for line in (await agent_here.run("all")).lines if "msg" in line]
    assert "Changed TeamSettings.MaxUsersPerTeam: 50 → 50000" in messages
    assert "Changed ServiceSettings.EnableIncomingWebhooks: False → True" in messages
    assert embedded.state.config.sections["TeamSettings"]["MaxUsersPerTeam"] == 50_000
    assert "Gave the role team_user manage_own_incoming_webhooks, which webhook entities need" in messages


@pytest.mark.parametrize("scenario", ["basic", "search", "getchannel"])
async def test_the_parts_of_all_run_by_themselves(agent_here: AgentHere, scenario: str) -> None:
    """Each of the original's plain tests is a command."""
    ended = await agent_here.run(scenario)
    assert ended.code == 0, ended.stderr
    assert f"Scenario    {scenario} on" in ended.stderr


@pytest.mark.parametrize("version", ["5.37", "11.6"])
async def test_old_and_new_servers_are_loaded_without_errors(agent: AgentHere, start_server: Any, version: str) -> None:
    """Webhooks' permission and everything else that differs by version is found out."""
    server = await start_server(version=version)
    ended = await agent.use(server).run("all")
    assert ended.code == 0, ended.stderr
    assert "0 errors" in ended.stderr
    assert f"(Mattermost {version}.0)" in ended.stderr


async def test_a_failed_login_shifts_nobody(agent_here: AgentHere, embedded: Any) -> None:
    """One user of ten cannot log in: the others are who they are, and the summary says that one is missing."""
    assert (await agent_here.run("basic")).code == 0
    embedded.state.users.by_username["user3"].set_password("another password")
    before = {post.id for post in embedded.state.posts.by_id.values()}
    ended = await agent_here.run("basic")
    assert ended.code == 0, ended.stderr
    assert "9 of 10" in ended.stderr
    assert "1 of 10 entities could not log in" in ended.stderr
    posters = {post.user_id for post in embedded.state.posts.by_id.values() if post.id not in before and not post.type}
    names = {embedded.state.users.by_id[user_id].username for user_id in posters}
    assert names <= {f"user{number}" for number in range(10) if number != 3}
    assert {"user2", "user4"} <= names


async def test_a_deactivated_user_is_activated_first(agent_here: AgentHere, embedded: Any) -> None:
    """An account that an interrupted run left deactivated acts again."""
    assert (await agent_here.run("basic")).code == 0
    user = embedded.state.users.by_username["user5"]
    embedded.state.users.set_active(user, False, embedded.state.now_ms())
    ended = await agent_here.run("basic")
    assert ended.code == 0, ended.stderr
    assert "10 of 10" in ended.stderr
    assert not user.delete_at


async def test_refused_logins_are_tried_again_when_the_server_says(agent_here: AgentHere, embedded: Any) -> None:
    """429 with Retry-After is honoured, for the admin as for everybody else: all are in at last."""
    assert (await agent_here.run("basic")).code == 0
    await embedded.faults.turn(too_many_rate=0.5, retry_after_s=0)
    ended = await agent_here.run("basic")
    assert ended.code == 0, ended.stderr
    assert "10 of 10" in ended.stderr


async def test_a_run_without_one_success_fails(agent_here: AgentHere, embedded: Any) -> None:
    """When nobody can log in there is nothing to report but that, and the exit code says so."""
    assert (await agent_here.run("basic")).code == 0
    for number in range(10):
        embedded.state.users.by_username[f"user{number}"].set_password("another password")
    ended = await agent_here.run("basic")
    assert ended.code == 1
    assert "none of the 10 entities could log in" in ended.error


async def test_an_agent_that_is_late_says_so(agent_here: AgentHere) -> None:
    """Asked for more than it can do, the agent ends with 4, and its summary warns of its own figures."""
    agent_here.set(
        UserEntitiesConfiguration_ActionRateMilliseconds=1, UserEntitiesConfiguration_MaxLatenessMilliseconds=1
    )
    ended = await agent_here.run("all")
    assert ended.code == 4
    assert "WARNING: agent saturated" in ended.stderr
    assert "fewer entities" in ended.error


@pytest.mark.slow
async def test_a_server_that_goes_away_ends_in_the_figures(agent_here: AgentHere, embedded: Any) -> None:
    """Refused connections are counted by kind, told once, and the run goes on to its end."""
    agent_here.set(UserEntitiesConfiguration_TestLengthMinutes=0.15)
    running = await agent_here.start("basic")
    await running.until_logged('"tag":"timings"')
    await embedded.faults.turn(refuse_connections=True)
    ended = await running.ended()
    assert ended.code == 0, ended.stderr
    assert "Errors      connection: " in ended.stderr
    assert len([line for line in ended.lines if line.get("kind") == "connection"]) == 1


async def test_a_server_that_is_still_starting_is_waited_for(agent: AgentHere, start_server: Any) -> None:
    """With WaitForServerStart the run begins once the server has answered five pings in a row."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    agent.set(
        ConnectionConfiguration_ServerURL=f"http://127.0.0.1:{port}", ConnectionConfiguration_WaitForServerStart="true"
    )
    running = await agent.start("basic")
    await running.until_logged("does not answer yet")
    await start_server(ports=(port,))
    ended = await running.ended()
    assert ended.code == 0, ended.stderr
    assert len(ended.told("The server does not answer yet; waiting for it")) == 1
