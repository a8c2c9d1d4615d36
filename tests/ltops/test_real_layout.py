"""A Mattermost by archive: laid out like the real one, holding a stand-in that wants the database it is given."""

from __future__ import annotations

import io
import json
import tarfile
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from tests.ltops.licenses import licence

from mattermost_load_test.ltops.providers.local.deployment import NO_METRICS
from mattermost_load_test.ltops.roles.mattermost import NO_SHARED_EVENTS

Ops = Any
"""An `Ops` of the conftest beside."""

Needs = Any
"""Its `Needs`."""

MakeArchive = Any
"""Its `MakeArchive`."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def test_a_mattermost_by_archive(ops: Ops, needs: Needs, make_archive: MakeArchive) -> None:
    """It is unpacked, configured, started with a PostgreSQL of its own, and deployed anew when the archive changes."""
    postgres(needs)
    needs(prometheus="prometheus")
    ops.good("create", "-c", "real", "--type", "local")
    ops.good("deploy", "-c", "real", "-m", str(make_archive(ops.folder / "one.tar.gz", "one")))
    found = ops.status("real")
    assert found["well"], found
    assert [one["role"] for one in found["instances"] if one["role"] in ("app", "db")] == ["app", "db"]
    assert [line for line in found["missing"] if "licence" in line] == [NO_METRICS]
    assert "Nothing to do" in ops.good("deploy", "-c", "real").stderr
    the_password_is_kept_from_others(ops, found["data_source"])
    ops.good("loadtest", "basic", "-c", "real")
    changed = ops.good("deploy", "-c", "real", "-m", str(make_archive(ops.folder / "two.tar.gz", "two")))
    assert "unpack two.tar.gz" in changed.stderr
    assert "# two" in (ops.home / "real/instances/app-0/mattermost/bin/mattermost").read_text()
    beside_it(ops, found["data_source"])
    data = (ops.home / "real" / "instances" / "db-0" / "data").resolve()
    assert data.is_dir()
    ops.good("delete", "-c", "real")
    assert ops.processes() == []
    assert not data.exists()
    assert list(ops.home.glob("[!.]*")) == []


def postgres(needs: Needs) -> None:
    """Skip where there is no PostgreSQL."""
    if not list(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        needs(postgres="postgresql")


def the_password_is_kept_from_others(ops: Ops, data_source: str) -> None:
    """Look that `status` masks it, and that no command line holds it while `db` runs."""
    password = data_source.split("@")[0].rpartition(":")[2]
    assert password not in ops.good("status").stdout
    seen: list[str] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            seen.extend(" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))
            over.wait(0.1)

    looking = threading.Thread(target=look)
    looking.start()
    ended = ops.run_apart("db", "-c", "real", "--", "-At", "-c", "SELECT 40 + 2, pg_sleep(1)")
    over.set()
    looking.join()
    assert (ended.code, ended.stdout) == (0, "42|\n")
    assert any("pg_sleep" in line for line in seen)
    assert not [line for line in seen if password in line]
    assert ops.run_apart("db", "-c", "real", "--", "-c", "nonsense").code == 1


def has_license(site_url: str) -> bool:
    """Say whether the server that answers at an address has a licence."""
    told = requests.get(f"{site_url}/api/v4/license/client?format=old", timeout=10).json()
    return bool(told["IsLicensed"] == "true")


def scraped(metrics_url: str) -> dict[str, str]:
    """Return where Prometheus asks which server for its metrics."""
    answer = requests.get(f"{metrics_url}/api/v1/targets", timeout=10).json()
    targets = [one for one in answer["data"]["activeTargets"] if one["labels"]["job"] == "mattermost"]
    return {one["labels"]["instance"]: one["scrapeUrl"] for one in targets}


def beside_it(ops: Ops, data_source: str) -> None:
    """Put a second cluster beside the first, of two servers, on a database that it is given, which stays."""
    ops.environment["LTOPS_DATA_SOURCE"] = data_source
    ops.good("create", "-c", "other", "--type", "local", "--app-count", "2")
    ops.good("deploy", "-c", "other", "-m", str(ops.folder / "one.tar.gz"))
    del ops.environment["LTOPS_DATA_SOURCE"]
    assert ops.state("other")["data_source"] == data_source
    assert "db" not in [one["role"] for one in ops.state("other")["instances"]]
    licensed(ops)
    ops.good("delete", "-c", "other")
    assert ops.run_apart("db", "-c", "real", "--", "-At", "-c", "SELECT 1").stdout == "1\n"


def licensed(ops: Ops) -> None:
    """Deploy a licence on two servers: they are started anew with it, find each other, and tell metrics."""
    found = ops.status("other")
    assert [line for line in found["missing"] if "licence" in line] == [NO_METRICS, NO_SHARED_EVENTS]
    assert has_license(found["site_url"]) is False
    path = ops.folder / "real.mattermost-license"
    path.write_bytes(licence("any"))
    assert "start Mattermost" in ops.good("deploy", "-c", "other", "-l", str(path)).stderr
    assert "Nothing to do" in ops.good("deploy", "-c", "other").stderr
    assert has_license(found["site_url"]) is True
    assert not [line for line in ops.status("other")["missing"] if "licence" in line]
    servers_find_each_other(ops)
    kept = ops.home / "other" / "license"
    assert (kept.read_bytes(), kept.stat().st_mode & 0o077) == (path.read_bytes(), 0)
    ops.until(lambda: {"app-0", "app-1"} == scraped(found["metrics_url"]).keys(), "Prometheus knows the servers")
    for url in scraped(found["metrics_url"]).values():
        assert "mattermost_" in requests.get(url, timeout=10).text


def servers_find_each_other(ops: Ops) -> None:
    """Look that the servers are one cluster, in which each has an address of its own."""
    files = [ops.home / f"other/instances/app-{index}/mattermost/config/config.json" for index in range(2)]
    clustered = [json.loads(file.read_text())["ClusterSettings"] for file in files]
    assert {(one["Enable"], one["ClusterName"]) for one in clustered} == {(True, "load-test")}
    for key in ("OverrideHostname", "AdvertiseAddress", "BindAddress"):
        assert [one[key] for one in clustered] == ["127.0.0.1", "127.0.0.2"]
    assert len({one[key] for one in clustered for key in ("GossipPort", "StreamingPort")}) == 4


def test_a_server_that_does_not_start(ops: Ops, needs: Needs, make_archive: MakeArchive) -> None:
    """The last words of its log are in the message, and the same command goes on once the archive is mended."""
    postgres(needs)
    path = ops.folder / "bad.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        text = b"#!/bin/sh\necho 'no such luck' >&2\nexit 5\n"
        member = tarfile.TarInfo("mattermost/bin/mattermost")
        member.size, member.mode = len(text), 0o755
        packed.addfile(member, io.BytesIO(text))
    ops.good("create", "-c", "real", "--type", "local")
    ended = ops.run("deploy", "-c", "real", "-m", str(path))
    assert ended.code == 1
    assert "no such luck" in ended.error
    ops.good("deploy", "-c", "real", "-m", str(make_archive(ops.folder / "good.tar.gz", "good")))
    assert ops.status("real")["well"]


def test_agents_for_a_server_that_is_there(ops: Ops) -> None:
    """A cluster made with --server-url has agents only, and several clusters stand side by side."""
    ops.good("create", "-c", "servers", "--type", "local")
    ops.good("deploy", "-c", "servers")
    url = ops.state("servers")["site_url"]
    ops.good("create", "-c", "agents", "--type", "local", "--server-url", url)
    ops.good("deploy", "-c", "agents")
    assert not [one for one in ops.state("agents")["instances"] if one["role"] == "app"]
    ops.good("loadtest", "basic", "-c", "agents")
    ops.good("delete", "-c", "agents")
    assert ops.status("servers")["well"]
