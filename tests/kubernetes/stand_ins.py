"""The images of the chart on a test's node: under the names that the chart asks for, each with what it stands in for.

Agents are ours: what the steps of the Dockerfile make of our wheel. The embedded server is Mattermost, with one replica
since it keeps all in memory; PostgreSQL, nginx, Prometheus and wget are Debian's. There is no Grafana: switch it off.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from tests.kubernetes.dockerfile import Built
from tests.kubernetes.images import Image

CHART = Path(__file__).parents[2] / "helm" / "mattermost-load-test"
PLAIN_IMAGE = "registry.invalid/plain:1"
"""An image with the machine's programs and nothing that runs by itself."""

MATTERMOST = """#!{python}
import os, time, psycopg
from mattermost_load_test.loadtest.cli import cli
end_s = time.monotonic() + 60
while True: # as the real server, which waits for its database
    try:
        psycopg.connect(os.environ["MM_SQLSETTINGS_DATASOURCE"]).close()
        break
    except psycopg.OperationalError:
        if time.monotonic() > end_s:
            raise
        time.sleep(0.2)
port = os.environ["MM_SERVICESETTINGS_LISTENADDRESS"].rpartition(":")[2]
licensed = ["--licensed"] if os.environ.get("MM_LICENSE") else []
cli(["server", "--host", "0.0.0.0", "--port", port, "--empty", *licensed])
"""

POSTGRES = """#!/bin/sh -e
# What the official image's docker-entrypoint.sh does, as far as the chart needs it.
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    mkdir -p "$PGDATA"
    chmod 700 "$PGDATA"
    echo "$POSTGRES_PASSWORD" >/tmp/password
    initdb -D "$PGDATA" -U "$POSTGRES_USER" -A scram-sha-256 --pwfile=/tmp/password -E UTF8 --locale=C.UTF-8 -N
    rm /tmp/password
    echo "CREATE DATABASE $POSTGRES_DB" | postgres --single -F -D "$PGDATA" postgres >/dev/null
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
fi
exec postgres -D "$PGDATA" -F -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql "$@"
"""


def images(agent: Built) -> list[Image]:
    """Return the chart's images."""
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    (postgresql,) = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:] or [Path("/usr/bin")]
    mattermost = MATTERMOST.format(python=agent.python)
    return [
        Image(PLAIN_IMAGE),
        Image(
            _name(values["agent"]),
            entrypoint=agent.entrypoint,
            command=agent.command,
            user=agent.user,
            environment=agent.environment,
            working_directory=agent.working_directory,
            folders=[agent.working_directory],
        ),
        Image(
            _name(values["mattermost"]),
            entrypoint=["/mattermost/bin/mattermost"],
            user=2000,
            files={"mattermost/bin/mattermost": mattermost.encode()},
            folders=["mattermost/data", "mattermost/config", "mattermost/logs", "mattermost/plugins"],
        ),
        Image(
            _name(values["postgresql"]),
            entrypoint=["/docker-entrypoint.sh"],
            user=999,
            environment={"PATH": f"{postgresql}:/usr/bin:/bin"},
            files={"docker-entrypoint.sh": POSTGRES.encode()},
        ),
        Image(_name(values["proxy"]), entrypoint=["/usr/sbin/nginx", "-g", "daemon off;"], user=101),
        Image(_name(values["prometheus"]), entrypoint=["/usr/bin/prometheus"], user=65534),
        Image(_name(values["test"])),
    ]


def _name(part: Mapping[str, Any]) -> str:
    """Return the name of an image of the chart's values."""
    return f"{part['image']['repository']}:{part['image']['tag']}"
