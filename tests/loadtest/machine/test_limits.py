"""What the machine allows: found out, raised, or told with the command that raises it. Each in a process of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

from mattermost_load_test.loadtest.machine.limits import PROCESS_BYTES, Needs, ensure
from mattermost_load_test.loadtest.machine.resources import available_memory_bytes, usable_cores

URLS = ("http://127.0.0.1:8065", "ws://127.0.0.1:8065")
AS_NOBODY = "import os; os.setgroups([]); os.setgid(65534); os.setuid(65534)" if os.geteuid() == 0 else ""


def said(code: str, *wrapper: str) -> str:
    """Run Python code in a process of its own, and return what it printed or the last line of how it failed."""
    prelude = (
        "import resource\n"
        "from mattermost_load_test.loadtest.machine.limits import Needs, ensure, ephemeral_ports, source_addresses\n"
        f"URLS = {URLS!r}\n"
    )
    done = subprocess.run([*wrapper, sys.executable, "-c", prelude + code], capture_output=True, text=True)
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def with_files(soft: int, hard: int, entities: int, then: str = "") -> str:
    """Return what is said of a number of entities, in one process, to somebody who is not root and has these limits."""
    return said(
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n{AS_NOBODY}\n"
        f"print(ensure(Needs({entities}, 1, URLS)), {then or 'None'})"
    )


def test_the_soft_limit_of_open_files_is_raised() -> None:
    """As far as the hard limit allows, to what is needed: two files for each entity and some to spare."""
    assert with_files(64, 4096, 1000, "resource.getrlimit(resource.RLIMIT_NOFILE)") == "[] (2256, 4096)"


def test_open_files_that_could_run_short_are_told() -> None:
    """The websockets fit, not all their requests at once: a sentence with the number and the commands."""
    shown = with_files(64, 1500, 1000)
    assert "only 1,500 of the 2,256 open files" in shown
    assert "ulimit -n 2256" in shown
    assert "prlimit" in shown


def test_too_few_open_files_end_the_run_before_it_begins() -> None:
    """A run that cannot work is refused, with what it needs and the commands that give it."""
    shown = with_files(64, 1000, 1000)
    assert shown.startswith(
        "mattermost_load_test.errors.ConfigurationError: a worker process with 1,000 entities needs"
    )
    assert "2,256 open files, and 1,000 are allowed" in shown
    assert "ulimit -n 2256" in shown


def test_a_privileged_account_raises_the_hard_limit_too() -> None:
    """Where it is allowed, nobody has to type a command."""
    lowered = "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 128))\n"
    if "ValueError" in said(f"{lowered}resource.setrlimit(resource.RLIMIT_NOFILE, (128, 129))\nprint('raised')"):
        pytest.skip("this account may not raise hard limits (CAP_SYS_RESOURCE)")
    shown = said(f"{lowered}print(ensure(Needs(1000, 1, URLS)), resource.getrlimit(resource.RLIMIT_NOFILE))")
    assert shown == "[] (2256, 2256)"


def in_a_network_with_100_ports(code: str) -> str:
    """Run code in a network namespace whose range of ports is that small."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("needs root and unshare (apt-get install util-linux)")
    narrow = "echo 40000 40099 > /proc/sys/net/ipv4/ip_local_port_range"
    return said(code, "unshare", "--net", "sh", "-c", f'{narrow} && exec "$@"', "sh")


def test_on_loopback_workers_get_addresses_of_their_own() -> None:
    """60 entities need 120 ports, of which an address has 100: two workers connect from two addresses."""
    code = (
        "print(ephemeral_ports(), source_addresses(Needs(60, 2, URLS), URLS[0]), source_addresses(Needs(50, 2, URLS), "
        "URLS[0]), ensure(Needs(60, 2, URLS)))"
    )
    shown = in_a_network_with_100_ports(code)
    assert re.fullmatch(r"100 \['127\.64\.(\d+\.\d+)', '127\.65\.\1'\] \[\] \[\]", shown), shown


def test_too_few_ports_to_another_host_are_told() -> None:
    """More websockets than ports cannot be; more requests could run short."""
    away = "('http://192.0.2.1', 'ws://192.0.2.1')"
    assert "could need up to 120 ports" in in_a_network_with_100_ports(f"print(ensure(Needs(60, 2, {away})))")
    refused = in_a_network_with_100_ports(f"print(ensure(Needs(101, 2, {away})))")
    assert (
        "ConfigurationError: 101 websockets to http://192.0.2.1 need a port each, and this machine has 100" in refused
    )
    assert "sysctl -w net.ipv4.ip_local_port_range" in refused


def test_memory_that_will_not_do_is_told() -> None:
    """A thousand times more entities than fit: the sentence says how much they take and how much there is."""
    available = available_memory_bytes()
    if available is None:
        pytest.skip("this system does not tell how much memory is available (/proc/meminfo)")
    crowd = Needs(100_000, available // PROCESS_BYTES + 1, ())
    assert any("of memory" in sentence and "MiB are available" in sentence for sentence in ensure(crowd))


def test_there_is_a_core_to_use() -> None:
    """At least one, and not more than the machine has."""
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
