"""`loadtest setup` and `loadtest restore`, the commands."""

from __future__ import annotations

from typing import Any

import pytest

AgentHere = Any
"""An `Agent` of the conftest beside."""


async def test_what_set_up_changed_is_put_back(agent_here: AgentHere, embedded: Any) -> None:
    """Both end well, the second says how much it put back and what, and the server is as before."""
    before = list(embedded.state.roles.by_name["team_user"].permissions)
    assert (await agent_here.run("setup")).code == 0
    assert embedded.state.roles.by_name["team_user"].permissions != before
    ended = await agent_here.run("restore")
    assert ended.code == 0, ended.stderr
    assert ended.stdout == "Put back 1 change\n"
    assert "Took manage_own_incoming_webhooks from the role team_user" in ended.stderr
    assert embedded.state.roles.by_name["team_user"].permissions == before


@pytest.mark.parametrize("command", ["restore", "setup"])
async def test_nobody_there_is_told(agent: AgentHere, command: str) -> None:
    """A server that cannot be reached is one message and 3."""
    agent.set(ConnectionConfiguration_ServerURL="http://127.0.0.1:1")
    ended = await agent.run(command)
    assert ended.code == 3
    assert "no connection to http://127.0.0.1:1" in ended.error
