"""`loadtest setup --bulk-load-method database`: what is wrong is said before anything is changed."""

from __future__ import annotations

import socket
from typing import Any

from mattermost_load_test.embedded.server import EmbeddedServer

METHOD = ("--bulk-load-method", "database")


async def test_without_a_data_source(agent_here: Any, embedded: EmbeddedServer) -> None:
    """The method needs DataSource: exit code 2, and the server is as it was."""
    ended = await agent_here.run("setup", *METHOD)
    assert ended.code == 2
    assert "ConnectionConfiguration.DataSource is empty" in ended.error
    assert not embedded.state.users.by_id


async def test_a_database_that_is_not_there(agent_here: Any, embedded: EmbeddedServer) -> None:
    """A database that does not answer is exit code 3, named without its password, and the server is as it was."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        agent_here.set(ConnectionConfiguration_DataSource=f"postgres://mm:hiddenword@127.0.0.1:{port}/mm")
        ended = await agent_here.run("setup", *METHOD)
    assert ended.code == 3
    assert f"PostgreSQL at 127.0.0.1:{port}" in ended.error
    assert "hiddenword" not in ended.stdout + ended.stderr
    assert not embedded.state.users.by_id


async def test_sessions_need_the_database(agent_here: Any) -> None:
    """A token cache at set-up is refused where no sessions are made: exit code 2."""
    ended = await agent_here.run("setup", "--token-cache", "tokens")
    assert ended.code == 2
    assert "--bulk-load-method database" in ended.error
    assert not (agent_here.folder / "tokens").exists()


async def test_check_says_where_users_would_go(agent_here: Any) -> None:
    """`check` names the database that users would go into, without its password."""
    agent_here.set(
        UserEntitiesConfiguration_AgentIndex=0,
        UserEntitiesConfiguration_AgentCount=1,
        ConnectionConfiguration_BulkLoadMethod="database",
        ConnectionConfiguration_DataSource="mm:hiddenword@tcp(127.0.0.1:3399)/mm",
    )
    ended = await agent_here.run("check")
    assert ended.code == 0
    assert "would go straight into MySQL at 127.0.0.1:3399" in ended.stdout
    assert "teams and channels would go by rest" in ended.stdout
    assert "hiddenword" not in ended.stdout + ended.stderr
