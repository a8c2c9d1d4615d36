"""What goes by the server's own command line, on this host and over SSH: bulk load, and making the admin."""

from __future__ import annotations

from typing import Any

import pytest

AgentHere = Any
"""An `Agent` of the conftest beside."""

Installed = Any
OpenSsh = Any
"""An `Installed` and an `OpenSsh` of the conftest above."""

PASSWORD = "Loadtestpassword1"


@pytest.fixture
async def boss(embedded: Any, add_person: Any, installed: Installed) -> Any:
    """Give the admin of a server whose command line is installed here."""
    person = await add_person(embedded, "boss")
    installed.belongs_to(embedded.url, person.token)
    return person


def by_cli(agent: AgentHere, embedded: Any, installed: Installed, **keys: object) -> AgentHere:
    """Point the agent at a server and its command line."""
    agent.use(embedded)
    keys = {"MattermostInstallDir": installed.folder, **keys}
    agent.set(**{f"ConnectionConfiguration_{key}": value for key, value in keys.items()})
    return agent


def as_boss(agent: AgentHere) -> AgentHere:
    """Have the agent log in as the admin that there is."""
    agent.set(ConnectionConfiguration_AdminEmail="boss@example.com", ConnectionConfiguration_AdminPassword=PASSWORD)
    return agent


async def loads_twice(agent: AgentHere, embedded: Any, installed: Installed) -> None:
    """See a first run load by the command line, and a second one find everything."""
    ended = await agent.run("setup", "--bulk-load-method", "cli")
    assert ended.code == 0, ended.stderr
    assert ended.told("Bulk load by cli: BulkLoadMethod asks for it")
    (call,) = installed.calls
    assert call["arguments"][:2] == ["import", "bulk"]
    assert call["arguments"][3:] == ["--apply"]
    assert call["folder"] == str(installed.folder)
    assert embedded.state.users.by_username["user11"]
    again = await agent.run("setup", "--bulk-load-method", "cli")
    assert again.code == 0
    assert len(installed.calls) == 1


async def test_bulk_load_by_the_command_line_here(
    agent: AgentHere, embedded: Any, boss: Any, installed: Installed
) -> None:
    """The server's own program imports the population, and is not called where nothing is missing."""
    await loads_twice(as_boss(by_cli(agent, embedded, installed)), embedded, installed)


async def test_bulk_load_by_the_command_line_over_ssh(
    agent: AgentHere, embedded: Any, boss: Any, installed: Installed, openssh: OpenSsh
) -> None:
    """The same on the server's host: the file is copied there, and not left behind."""
    as_boss(by_cli(agent, embedded, installed, **openssh.keys)).environment["HOME"] = str(openssh.home)
    await loads_twice(agent, embedded, installed)
    assert not installed.calls[0]["arguments"][2].startswith(str(agent.folder))


async def test_a_line_that_the_command_line_refuses_is_shown(
    agent: AgentHere, embedded: Any, boss: Any, installed: Installed
) -> None:
    """The message has the program's reason, the line's number and what stood in it; the program is not shown whole."""
    installed.belongs_to(embedded.url, boss.token, fails_at=3)
    ended = await as_boss(by_cli(agent, embedded, installed, BulkLoadMethod="cli")).run("setup")
    assert ended.code == 1
    assert "ended with 1 at line 3: BulkImport: Channel Header is too long." in ended.error
    assert 'line 3 is {"type":"channel"' in ended.stderr
    assert "Usage" not in ended.stderr


async def test_a_command_line_that_is_not_there(
    agent: AgentHere, embedded: Any, boss: Any, installed: Installed
) -> None:
    """Bulk load by a program that is not installed says where it was looked for, and what to set."""
    (installed.folder / "bin" / "mattermost").unlink()
    ended = await as_boss(by_cli(agent, embedded, installed, BulkLoadMethod="cli")).run("setup")
    assert ended.code == 3
    assert f"there is no bin/mattermost nor bin/platform in {installed.folder} on this host" in ended.error


async def test_the_admin_is_made_by_the_command_line(
    agent: AgentHere, embedded: Any, boss: Any, installed: Installed
) -> None:
    """On a server with accounts but no admin of ours it is made, and its password never stands in a process list."""
    ended = await by_cli(agent, embedded, installed).run("setup")
    assert ended.code == 0, ended.stderr
    (told,) = ended.told("Made the system admin by the server's command line")
    assert told["command"] == "bin/mattermost user create"
    (call,) = installed.calls
    assert call["arguments"][:2] == ["user", "create"]
    assert "adminsecret1" not in call["arguments"]
    throwaway = call["arguments"][call["arguments"].index("--password") + 1]
    assert throwaway not in ended.stdout + ended.stderr


async def test_a_password_that_is_wrong_is_no_missing_account(
    agent: AgentHere, embedded: Any, boss: Any, installed: Installed
) -> None:
    """The account is there under another password: both ways are told, and nothing is changed."""
    agent.set(ConnectionConfiguration_AdminEmail="boss@example.com")
    ended = await by_cli(agent, embedded, installed).run("setup")
    assert ended.code == 3
    assert "the password is wrong or there is no such account" in ended.error
    assert "making it by the server's command line failed, too" in ended.error
    assert "An account with that" in ended.error


async def test_a_name_that_another_admin_has(
    agent: AgentHere, embedded: Any, boss: Any, add_person: Any, installed: Installed
) -> None:
    """An earlier AdminEmail made `ltadmin`: the new address gets an account beside it, once, and the old one stays."""
    earlier = await add_person(embedded, "ltadmin", email="earlier@example.com")
    agent.set(ConnectionConfiguration_AdminEmail="later@example.com")
    ended = await by_cli(agent, embedded, installed).run("setup")
    assert ended.code == 0, ended.stderr
    (told,) = ended.told("Made the system admin by the server's command line")
    assert told["username"].startswith("ltadmin-")
    users = embedded.state.users.by_username
    assert users[told["username"]].email == "later@example.com"
    assert users["ltadmin"].id == earlier.id
    assert len(installed.calls) == 2
    again = await agent.run("setup")
    assert again.code == 0, again.stderr
    assert len(installed.calls) == 2


async def test_the_admin_is_made_by_mmctl(agent: AgentHere, embedded: Any, boss: Any, installed: Installed) -> None:
    """Where the server's program makes no users any more (from 6.0), `mmctl --local` beside it does."""
    installed.belongs_to(embedded.url, boss.token, modern=True)
    installed.add_program("mmctl")
    ended = await by_cli(agent, embedded, installed).run("setup")
    assert ended.code == 0, ended.stderr
    (told,) = ended.told("Made the system admin by the server's command line")
    assert told["command"] == "bin/mmctl --local user create"
    refused, made = (call["arguments"] for call in installed.calls)
    assert refused[:2] == ["user", "create"]
    assert made[:3] == ["--local", "user", "create"]
    assert made[-1] == "--system-admin"
    assert "adminsecret1" not in made
    assert made[made.index("--password") + 1] not in ended.stdout + ended.stderr


async def test_mmctl_without_local_mode(agent: AgentHere, embedded: Any, boss: Any, installed: Installed) -> None:
    """A server that lets nobody in by its socket is told by mmctl's own words, with the setting to change."""
    installed.belongs_to(embedded.url, boss.token, modern=True, local_mode=False)
    installed.add_program("mmctl")
    ended = await by_cli(agent, embedded, installed).run("setup")
    assert ended.code == 3
    assert "please check the server configuration for local mode" in ended.error
    assert "ServiceSettings.EnableLocalMode" in ended.error


async def test_programs_of_later_servers_make_no_users(
    agent: AgentHere, embedded: Any, boss: Any, installed: Installed
) -> None:
    """From 6.0 on `mmctl` does, and where that is missing, too, the message says so."""
    installed.belongs_to(embedded.url, boss.token, modern=True)
    ended = await by_cli(agent, embedded, installed).run("setup")
    assert ended.code == 3
    assert "makes no users any more, and there is no" in ended.error
    assert "bin/mmctl" in ended.error
