"""What goes wrong while a server is set up: an import that stops, a session that ends, a password that changes."""

from __future__ import annotations

from typing import Any

from mattermost_load_test.embedded.faults import Fixed

AgentHere = Any
"""An `Agent` of the conftest beside."""

ADMIN = "ltadmin"


async def half_set_up(agent: AgentHere, embedded: Any) -> Any:
    """Start a run on a slow server and return it once the import has begun."""
    await embedded.faults.turn(latency=Fixed(30))
    running = await agent.start("setup")
    await running.until_logged("Importing what the server lacks")
    return running


async def test_an_import_that_stops_at_a_line_shows_it(agent_here: AgentHere, embedded: Any, add_person: Any) -> None:
    """A user whose e-mail address another account has: the line's number, what stood in it without its password."""
    boss = await add_person(embedded, "boss")
    account = {"username": "squatter", "email": "success+user7@simulator.amazonses.com", "password": "Password1234"}
    await boss.ask("POST", "/users", account)
    agent_here.set(
        ConnectionConfiguration_AdminEmail="boss@example.com", ConnectionConfiguration_AdminPassword="Loadtestpassword1"
    )
    ended = await agent_here.run("setup")
    assert ended.code == 1
    assert "ended with status error at line 15: " in ended.error
    assert 'line 15 is {"type":"user","user":{"username":"user7"' in ended.stderr
    assert "Loadtestpassword1" not in ended.stderr
    assert "what stands before it is imported and stays" in ended.stderr


async def test_a_session_that_ends_halfway_is_renewed(agent_here: AgentHere, embedded: Any) -> None:
    """Whoever ends the admin's session during the set-up costs it one login, and nothing else."""
    running = await half_set_up(agent_here, embedded)
    admin = embedded.state.users.by_username[ADMIN]
    embedded.state.sessions.revoke_all(admin.id)
    ended = await running.ended()
    assert ended.code == 0, ended.stderr
    assert ended.told("The server is ready")


async def test_a_password_that_changes_halfway_ends_the_set_up(agent_here: AgentHere, embedded: Any) -> None:
    """The admin who is refused from one moment to the next is told as at the beginning, and at once."""
    running = await half_set_up(agent_here, embedded)
    admin = embedded.state.users.by_username[ADMIN]
    admin.set_password("somethingelse1")
    embedded.state.sessions.revoke_all(admin.id)
    ended = await running.ended()
    assert ended.code == 3
    assert "does not take success+ltadmin@simulator.amazonses.com as system admin" in ended.error
    assert "the password is wrong" in ended.error
