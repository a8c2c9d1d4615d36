"""Stands in for the server's own command lines: the same arguments, words and exit codes.

They are `bin/mattermost` of 5.37 and `bin/mmctl --local` of 7.8, whose words are from runs beside a real 5.37. Like the
first it reads where its server's data is from a configuration file, `config/config.json` of its folder; here that is an
embedded server's URL and an admin's token.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

from pydantic import SecretStr

from mattermost_load_test.errors import ApiError
from mattermost_load_test.mattermost.importing import ImportContext, ImportOptions, import_lines
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.transport import TransportOptions

HANG_S = 100.0


def main(arguments: list[str]) -> int:
    """Do what the arguments say."""
    place = Path(arguments[arguments.index("--config") + 1]) if "--config" in arguments else Path("config/config.json")
    settings = json.loads(place.read_text())
    with Path(settings["called"]).open("a") as called:
        called.write(json.dumps({"arguments": arguments, "folder": str(Path.cwd()), "pid": os.getpid()}) + "\n")
    if settings.get("hangs"):
        time.sleep(HANG_S)
    time.sleep(settings.get("naps_s", 0))
    if settings.get("migrating", 0) >= len(Path(settings["called"]).read_text().splitlines()):
        print("This API endpoint is not accessible as required migrations have not yet completed.", file=sys.stderr)
        print("Error occurred on data file line 2", file=sys.stderr)
        return fail("This API endpoint is not accessible as required migrations have not yet completed.")
    if line := settings.get("fails_at"):
        print(f"BulkImport: Channel Header is too long.\nError occurred on data file line {line}", file=sys.stderr)
        return fail("BulkImport: Channel Header is too long.")
    if arguments[0] == "--local" and not settings.get("local_mode", True):
        complaint = "doesn't exists, please check the server configuration for local mode"
        print(f'Error: socket file "/var/tmp/mattermost_local.socket" {complaint}', file=sys.stderr)
        return 1
    try:
        if arguments[:3] == ["--local", "user", "create"] and arguments[-1] == "--system-admin":
            given = dict(zip(arguments[3::2], arguments[4::2], strict=False))
            asyncio.run(create(given["--email"], given["--username"], given["--password"], settings))
            print(f"Created user {given['--username']}")
        elif arguments[:2] == ["import", "bulk"]:
            print("Running Bulk Import. This may take a long time.\n")
            lines = Path(arguments[2]).read_bytes().splitlines(keepends=True)
            asyncio.run(load(lines, settings["url"], settings["token"]))
            print("Finished Bulk Import.")
        elif arguments[:2] == ["user", "create"] and not settings.get("modern"):
            given = dict(zip(arguments[2::2], arguments[3::2], strict=False))
            asyncio.run(create(given["--email"], given["--username"], given["--password"], settings))
            print(f"username: {given['--username']}")
        else:
            return fail(f'unknown command "{arguments[0]}" for "mattermost"')
    except ApiError as error:
        return fail(f"Unable to create user. Error: {error}")
    return 0


def fail(reason: str) -> int:
    """Complain as the real program does, with its usage, and return its exit code."""
    print(f"Error: {reason}\nUsage:\n  mattermost [flags]\n\nFlags:\n  -h, --help  help", file=sys.stderr)
    return 1


async def load(lines: list[bytes], url: str, token: str) -> None:
    """Import lines."""
    async with open_transport(TransportOptions(url)) as transport:
        context = ImportContext(ImportOptions(poll_s=0.05))
        await import_lines(Client(transport, SecretStr(token)), lines, context)


async def create(email: str, username: str, password: str, settings: dict[str, str]) -> None:
    """Make a system admin."""
    async with open_transport(TransportOptions(settings["url"])) as transport:
        boss = Client(transport, SecretStr(settings["token"]))
        user = await boss.users.create(email, username, password)
        await boss._session.done(
            "PUT /users/[user id]/roles", f"/users/{user.id}/roles", {"roles": "system_user system_admin"}
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
