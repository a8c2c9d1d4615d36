"""A cluster on hosts that SSH opens, from nothing to results, and to nothing again."""

from __future__ import annotations

import gzip
import io
import json
import pty
import re
import signal
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from tests.hosts.conftest import CONFIGURATION, Artifacts
from tests.hosts.stage import Stage
from tests.ltops.licenses import licence

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("hosts")]

FETCH = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode())"
SOON = ("--start-in", "12")
"""Enough for agents to log five users in, where twice that is estimated."""

SLOW_TO_START = """#!/bin/sh
case "$*" in "start mattermost-load-test@20"*)
    touch /run/is-slow
    until test -e /run/go-on; do sleep 0.1; done
esac
exec /usr/bin/systemctl "$@"
"""
CREATE = ("create", "-c", "demo", "-t", "terraform", "--allow-cidr", "127.0.0.1", "--loadtest-count", "2")


def test_from_nothing_to_results_and_to_nothing_again(stage: Stage, artifacts: Artifacts) -> None:
    """Every command of a cluster's life, over SSH, with hosts that start anew and connections that break."""
    stage.environment["LTOPS_URL_GRAFANA"] = str(artifacts.grafana)
    stage.good(*CREATE)
    stage.admit("demo")
    a_package_for_another_python(stage, artifacts)
    deploying(stage, artifacts)
    what_stands_there(stage)
    terminals_and_tunnels(stage)
    a_run_that_is_left(stage)
    a_run_whose_connections_break(stage)
    changes(stage, artifacts)
    a_licence(stage)
    faults(stage)
    stage.good("delete", "-c", "demo", "--yes")
    assert not (stage.home / "demo").exists()


def a_package_for_another_python(stage: Stage, artifacts: Artifacts) -> None:
    """Refuse agents that the hosts' Python cannot run, before anything is done on a host."""
    other = stage.folder / "other.tar.gz"
    with tarfile.open(artifacts.bundle) as bundle, tarfile.open(other, "w:gz") as packed:
        card = bundle.next()
        assert card is not None
        text = bundle.extractfile(card).read().replace(b"3.11", b"3.99")  # type: ignore[union-attr]
        (stage.folder / "bundle.json").write_bytes(text)
        packed.add(stage.folder / "bundle.json", card.name)
    ended = stage.run("deploy", "-c", "demo", "-m", str(artifacts.one), "-t", str(other))
    assert ended.code == 2
    assert re.search(
        r"other.tar.gz is for Python 3.99, and loadtest-0 has 3.11: .*`make package PYTHONS=3.11`", ended.stderr
    )
    assert "✓" not in ended.stderr


def deploying(stage: Stage, artifacts: Artifacts) -> None:
    """Deploy on hosts of which some want to start anew, as they do after an update of their kernel."""
    a_host_that_does_not_come_up(stage, "-m", str(artifacts.one), "-t", str(artifacts.bundle))
    before = {name: stage.on(name, "cat /proc/sys/kernel/random/boot_id") for name in stage.hosts}
    for name in ("app-0", "loadtest-1"):
        stage.on(name, "touch /run/reboot-required")
    ended = stage.good("deploy", "-c", "demo", "-m", str(artifacts.one), "-t", str(artifacts.bundle))
    assert "The site is http://172.31.0.20" in ended.stderr
    assert "Missing: a licence" in ended.stderr
    after = {name: stage.on(name, "cat /proc/sys/kernel/random/boot_id") for name in stage.hosts}
    assert {name for name in stage.hosts if before[name] != after[name]} == {"app-0", "loadtest-1"}
    again = stage.good("deploy", "-c", "demo")
    assert "Nothing to do: everything is as it should be" in again.stderr
    assert "✓" not in again.stderr


def a_host_that_does_not_come_up(stage: Stage, *order: str) -> None:
    """Name it, what was tried and how to go on; nothing is done on the others, and what they have is kept."""
    stage.on("loadtest-1", "systemctl stop ssh")
    ended = stage.run("deploy", "-c", "demo", *order, "--host-timeout", "1.5")
    stage.on("loadtest-1", "systemctl start ssh")
    assert ended.code == 3
    assert "Waiting for loadtest-1 to let us in\n" in ended.stderr
    assert re.search(
        r"Error: loadtest-1: wait until it lets us in, 1.5 s at most \(--host-timeout\): loadtest-1 "
        r"\(ubuntu@172.31.0.41\) cannot be reached by SSH: Connection refused; it was tried for \d s: see that it "
        r"runs, and that it and what stands before it let this machine in. `ltops deploy -c demo …` goes on from here$",
        ended.stderr.rstrip(),
    ), ended
    assert "✓" not in ended.stderr


def what_stands_there(stage: Stage) -> None:
    """Look at the hosts: what runs, how it is configured, that secrets are kept from others."""
    (found,) = status(stage)
    assert (found["well"], found["faults"]) == (True, {}), found
    configuration = json.loads(stage.on("app-0", "cat /opt/mattermost/config/config.json"))
    assert configuration["ServiceSettings"]["SiteURL"] == "http://172.31.0.20"
    assert configuration["SqlSettings"]["MaxOpenConns"] == 80  # of the 100 that the database allows
    assert configuration["EmailSettings"]["SMTPPort"] == "10025"  # as it was shipped
    assert stage.on("app-0", "stat -c '%a %U' /opt/mattermost/config/config.json").split() == ["600", "mattermost"]
    assert stage.on("app-0", "systemctl show -p LimitNOFILE --value mattermost").strip() == "49152"
    assert stage.on("loadtest-0", "sysctl -n net.ipv4.ip_local_port_range").split() == ["1024", "65000"]
    password = configuration["SqlSettings"]["DataSource"].split("@")[0].rpartition(":")[2]
    assert len(password) == 32
    for name in stage.hosts:
        assert password not in stage.on(name, "journalctl --no-pager; cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert password not in (stage.home / "demo" / "ltops.log").read_text()


def terminals_and_tunnels(stage: Stage) -> None:
    """Run a command, a shell on a terminal, the database's shell; keep a way to the metrics open."""
    ended = stage.run("ssh", "loadtest", "-c", "demo", "-i", "1", "--", "sh", "-c", "echo 'as  is'; hostname; exit 7")
    assert (ended.code, ended.stdout) == (7, "as  is\nloadtest-1\n")
    near, far = pty.openpty()
    shell = stage.start("ssh", "app", "-c", "demo", stdin=far, stdout=far, stderr=far)
    with open(near, "r+b", buffering=0) as terminal:  # noqa: PTH123  # a file descriptor
        terminal.write(b"test -t 0 && echo on $(hostname) for $(id -un); exit 5\n")
        assert shell.wait(60) == 5
        assert b"on app-0 for ubuntu" in terminal.read(1 << 16)
    assert stage.good("db", "-c", "demo", "--", "-At", "-c", "SELECT 40 + 2").stdout == "42\n"
    kept_open(stage)


def kept_open(stage: Stage) -> None:
    """Reach Prometheus by `forward`: all hosts tell it of themselves."""
    forward = stage.start("forward", "metrics", "-c", "demo")
    assert forward.stdout is not None
    url = forward.stdout.readline().split()[1]
    targets = json.loads(fetched(stage, f"{url}/api/v1/targets"))["data"]["activeTargets"]
    assert {one["labels"]["instance"] for one in targets if one["labels"]["job"] == "host"} == set(stage.hosts)
    provisioned = fetched(stage, forward.stdout.readline().split()[1])
    assert "url: http://172.31.0.30:9090" in provisioned
    assert "/etc/mattermost-load-test/dashboards/overview.json" in provisioned
    forward.send_signal(signal.SIGINT)
    forward.communicate(timeout=30)
    assert forward.returncode == 0


def fetched(stage: Stage, url: str) -> str:
    """Return what an address in the network of the hosts answers."""
    return subprocess.run([*stage.inside, "python3", "-c", FETCH, url], capture_output=True, text=True).stdout


def a_run_that_is_left(stage: Stage) -> None:
    """Kill the command while one of two hosts is slow to start its agent; --attach knows both, what it finds is whole.

    That host's systemctl waits for a file. The run's configuration is that of the bundle.
    """
    stage.on("loadtest-1", f"install -m 755 /dev/stdin /usr/local/bin/systemctl <<'E'\n{SLOW_TO_START}E")
    left = stage.start("loadtest", "-c", "demo", *SOON)
    stage.until(lambda: job(stage, "loadtest-0") and stage.on("loadtest-1", "ls /run").count("is-slow"), "one runs")
    left.kill()
    left.communicate()
    stage.on("loadtest-1", "rm /usr/local/bin/systemctl; touch /run/go-on")
    stage.until(lambda: job(stage, "loadtest-1"), "both run")
    stage.until(lambda: agents_tell_how_far_they_are(stage), "status reaches the agents' metrics")
    ended = stage.good("loadtest", "-c", "demo", "--attach")
    assert "Timings Report" in ended.stdout
    played = json.loads((stage.home / "demo" / "results" / "loadtestconfig.json").read_text())
    assert CONFIGURATION["UserEntitiesConfiguration"].items() <= played["UserEntitiesConfiguration"].items()
    (found,) = status(stage)
    assert found["run"]["exit_codes"] == [0, 0]
    for address in ("172.31.0.40", "172.31.0.41"):
        copy = (stage.home / "demo" / "results" / f"loadtest-out-{address}.txt").read_bytes()
        name = next(name for name, known in stage.hosts.items() if known == address)
        assert copy.decode() == stage.on(
            name, f"cat /var/lib/mattermost-load-test/jobs/{found['run']['id']}/loadtest.log"
        )


def agents_tell_how_far_they_are(stage: Stage) -> bool:
    """Say whether `status` has figures of both agents, which it asks through tunnels."""
    (found,) = status(stage)
    told = [agent["figures"] or {} for agent in found["agents"].values()]
    return len(told) == 2 and all("requests" in figures for figures in told)


def a_run_whose_connections_break(stage: Stage) -> None:
    """Cut every SSH connection in the middle of a run: the command that follows it connects again.

    The clock of one host is two seconds ahead, as far as commands there can see: that is warned of.
    """
    ahead = """printf '#!/bin/sh\\nexec /usr/bin/date -d "+2 seconds" "$@"\\n' > /usr/local/bin/date"""
    stage.on("loadtest-1", f"{ahead}; chmod 755 /usr/local/bin/date; date +%s")
    followed = stage.start("loadtest", "-c", "demo", "--skip-bulk-load", *SOON)
    stage.until(lambda: job(stage, "loadtest-0"), "agents run")
    for name in ("loadtest-0", "loadtest-1"):
        stage.on(name, "kill -9 $(pgrep -P $(cat /run/sshd.pid))")
    stdout, stderr = followed.communicate(timeout=200)
    assert (followed.returncode, "Traceback" in stderr) == (0, False), stderr
    assert "Timings Report" in stdout
    (offset_ms,) = re.findall(r"WARNING: the clock of agent 1 is ([\d,]+) ms ahead", stderr)
    assert 1500 < int(offset_ms.replace(",", "")) < 2500
    assert "the clock of agent 0" not in stderr
    stage.on("loadtest-1", "rm /usr/local/bin/date")


def faults(stage: Stage) -> None:
    """Collect everything, then see what is wrong named, and `deploy` mend it."""
    stage.good("collect", "-c", "demo", "-o", str(stage.folder / "all.tar.gz"))
    with tarfile.open(stage.folder / "all.tar.gz") as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
        configuration = next(name for name in packed.getnames() if name.endswith("mattermost/config/config.json"))
        masked = packed.extractfile(configuration).read().decode()  # type: ignore[union-attr]
        heap = next(name for name in packed.getnames() if name.endswith("app-0/pprof-heap.pb.gz"))
        profile = gzip.decompress(packed.extractfile(heap).read())  # type: ignore[union-attr]
    assert profile == b"/debug/pprof/heap"
    assert {"instances/app-0/journal.log", "metrics.json", "results/summary.txt", "status.json"} <= names
    assert ("mmuser:" in masked, "SMTPPort" in masked) == (False, True)
    assert '"AtRestEncryptKey": "**********"' in masked
    stage.on("proxy-0", "systemctl stop mattermost-proxy; echo 'broken' > /etc/mattermost-load-test/nginx.conf")
    (found,) = status(stage)
    assert not found["well"]
    assert found["faults"]["proxy-0"].startswith("mattermost-proxy.service is inactive")
    a_host_that_does_not_come_up(stage)
    mended = stage.good("deploy", "-c", "demo")
    assert re.findall(r"✓ (.*)", mended.stderr) == ["proxy-0  start nginx"]
    (found,) = status(stage)
    assert found["well"]


def changes(stage: Stage, artifacts: Artifacts) -> None:
    """Deploy another Mattermost: only the app changes; a licence that is none is refused, one not taken is told."""
    (stage.folder / "license").write_text("no licence")
    ended = stage.run("deploy", "-c", "demo", "-l", str(stage.folder / "license"))
    assert (ended.code, "is no Mattermost licence" in ended.stderr) == (2, True)
    a_server_that_does_not_start(stage)
    changed = stage.good("deploy", "-c", "demo", "-m", str(artifacts.two), "-l", license_file(stage, "a bad one"))
    assert sorted(re.findall(r"✓ (\S+)  (.*)", changed.stderr)) == [
        ("app-0", "install Mattermost"),
        ("app-0", "start Mattermost"),
        ("demo", "note what is deployed"),
        ("metrics-0", "start Prometheus"),  # a licensed server is asked for its metrics
        ("site", "wait for http://172.31.0.20 and its admin"),  # it keeps all in memory
    ]
    assert "Missing: a licence that these servers take: the one deployed has expired" in changed.stderr
    assert "# two" in stage.on("app-0", "cat /opt/mattermost/current/bin/mattermost")
    assert len(stage.on("app-0", "ls /opt/mattermost/releases").split()) == 1


def license_file(stage: Stage, name: str) -> str:
    """Write a licence and return its path."""
    path = stage.folder / "mattermost.mattermost-license"
    path.write_bytes(licence(name))
    return str(path)


def a_licence(stage: Stage) -> None:
    """Deploy one that the server takes: it is kept from others, and the server tells its metrics then."""
    path = license_file(stage, "a good one")
    changed = stage.good("deploy", "-c", "demo", "-l", path)
    assert ("Missing" in changed.stderr, "✓ app-0  start Mattermost" in changed.stderr) == (False, True)
    found = stage.on("app-0", "cd /opt/mattermost/config; stat -c '%a %U %n' *licen*; cat mattermost-license")
    text = Path(path).read_text().strip()
    assert found.splitlines() == ["400 root license.env", "400 mattermost mattermost-license", text]
    seen = stage.on("app-0", "journalctl --no-pager; cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert text not in seen + (stage.home / "demo" / "ltops.log").read_text()
    assert status(stage)[0]["well"]
    metrics = "http://172.31.0.30:9090/api/v1/query?query=mattermost_http_requests_total"
    stage.until(lambda: '"instance":"app-0"' in fetched(stage, metrics), "its metrics are scraped")


def a_server_that_does_not_start(stage: Stage) -> None:
    """Tell its last words, and leave a cluster that the next `deploy` mends."""
    with tarfile.open(stage.folder / "bad.tar.gz", "w:gz") as packed:
        text = b"#!/bin/sh\necho 'no such luck' >&2\nexit 5\n"
        member = tarfile.TarInfo("mattermost/bin/mattermost")
        member.size, member.mode = len(text), 0o755
        packed.addfile(member, io.BytesIO(text))
    ended = stage.run("deploy", "-c", "demo", "-m", str(stage.folder / "bad.tar.gz"))
    assert ended.code == 1
    assert re.search(r"mattermost.service does not stay up; it said: no such luck. `ltops deploy -c demo", ended.stderr)


def status(stage: Stage) -> list[dict[str, Any]]:
    """Return what `status` says."""
    told = json.loads(stage.good("status", "-c", "demo", "--json").stdout)
    assert isinstance(told, list)
    return told


def job(stage: Stage, host: str) -> bool:
    """Say whether an agent runs a scenario."""
    listed = stage.on(host, "systemctl list-units --plain --no-legend 'mattermost-load-test@20*'")
    return "running" in listed
