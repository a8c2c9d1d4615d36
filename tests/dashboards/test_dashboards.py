"""The Grafana dashboards and Prometheus' rules: made from their source, and every query tried on data of a real run."""

from __future__ import annotations

import asyncio
import csv
import importlib.util
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import aiohttp
import pytest
import yaml

pytestmark = pytest.mark.xdist_group("dashboards")

DASHBOARDS = Path(__file__).parents[2] / "dashboards"
RULES = DASHBOARDS / "rules"
NAMES = ("agents", "database-and-hosts", "overview", "server")
DEADLINE_S = 60.0
PACKAGES = {
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "prometheus-node-exporter": "prometheus-node-exporter",
}
AGENT = {
    "LOADTESTENVIROMENTCONFIG_NUMUSERS": "20",
    "LOADTESTENVIROMENTCONFIG_NUMDIRECTMESSAGECHANNELS": "5",
    "LOADTESTENVIROMENTCONFIG_NUMGROUPMESSAGECHANNELS": "1",
    "USERENTITIESCONFIGURATION_NUMACTIVEENTITIES": "20",
    "USERENTITIESCONFIGURATION_ACTIONRATEMILLISECONDS": "500",
    "USERENTITIESCONFIGURATION_TESTLENGTHMINUTES": "5",
    "LOGSETTINGS_CONSOLEJSON": "true",
    "RESULTSCONFIGURATION_METRICSADDRESS": "127.0.0.1:0",
}


def tool(name: str) -> str:
    """Give the path of a program of Debian's Prometheus packages; skip where it is not there, unless in CI."""
    path = shutil.which(name)
    if path is None:
        assert not os.environ.get("CI"), f"CI wants {name}"
        pytest.skip(f"no {name} here: apt-get install {PACKAGES[name]}")
    return path


@pytest.fixture(scope="module")
def build() -> ModuleType:
    """Give the script that makes the dashboards."""
    spec = importlib.util.spec_from_file_location("dashboards_build", DASHBOARDS / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def source(name: str) -> dict[str, Any]:
    """Give the source of a dashboard."""
    page: dict[str, Any] = yaml.safe_load((DASHBOARDS / "source" / f"{name}.yaml").read_text())
    return page


def panels(name: str) -> Iterator[dict[str, Any]]:
    """Give the panels of a dashboard's source."""
    for row in source(name)["rows"]:
        yield from row["panels"]


@pytest.mark.parametrize("name", NAMES)
def test_dashboards_are_as_their_source_makes_them(build: ModuleType, name: str, tmp_path: Path) -> None:
    """`make dashboards` was called after the last change."""
    build.main(tmp_path)
    assert json.loads((DASHBOARDS / f"{name}.json").read_text()) == json.loads((tmp_path / f"{name}.json").read_text())


def test_every_source_has_its_dashboard() -> None:
    """And the other way round."""
    assert sorted(path.stem for path in (DASHBOARDS / "source").glob("*.yaml")) == list(NAMES)
    assert sorted(path.stem for path in DASHBOARDS.glob("*.json")) == list(NAMES)


async def run(*command: str, cwd: Path) -> str:
    """Run a program, which must succeed, and give its output."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(DEADLINE_S):
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def test_rules_are_sound_and_alerts_come_when_they_should(tmp_path: Path) -> None:
    """As promtool sees it."""
    files = [tmp_path / path.name for path in (*RULES.glob("*.yml"), Path(__file__).with_name("rules_test.yml"))]
    for file in files:
        origin = RULES / file.name
        shutil.copy(origin if origin.exists() else Path(__file__).with_name(file.name), file)
    await run(tool("promtool"), "check", "rules", "recording.yml", "alerts.yml", cwd=tmp_path)
    await run(tool("promtool"), "test", "rules", "rules_test.yml", cwd=tmp_path)


class Program:
    """A program that runs, and what it says on stderr or stdout, line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._said: list[str] = []

    async def line(self, pattern: str) -> re.Match[str]:
        """Wait for a line in which `pattern` is found."""
        stream = self._process.stdout
        assert stream is not None
        async with asyncio.timeout(DEADLINE_S):
            while True:
                line = (await stream.readline()).decode()
                self._said.append(line)
                assert line, "".join(self._said[-40:])
                if found := re.search(pattern, line):
                    return found


@asynccontextmanager
async def program(*command: str, cwd: Path, **environment: str) -> AsyncIterator[Program]:
    """Run a program until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=1 << 24,
    )
    running = Program(process)
    try:
        yield running
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(DEADLINE_S):
            await process.communicate()


@asynccontextmanager
async def everything(folder: Path) -> AsyncIterator[str]:
    """Run a server, an agent and a node exporter under the eyes of a Prometheus; give the address of that."""
    loadtest = [sys.executable, "-m", "mattermost_load_test.loadtest.cli"]
    shutil.copy(Path(__file__).parents[2] / "loadtestconfig.json", folder)
    settings = {f"MMLOADTEST_{key}": value for key, value in AGENT.items()}
    async with (
        program(*loadtest, "server", "--port", "0", cwd=folder, **settings) as server,
        program(tool("prometheus-node-exporter"), "--web.listen-address=127.0.0.1:0", cwd=folder) as exporter,
    ):
        url = (await server.line(r"http://[\d.]+:\d+"))[0]
        node = (await exporter.line(r"(?:address|addr)=\"?([\d.]+:\d+)"))[1]
        settings["MMLOADTEST_CONNECTIONCONFIGURATION_SERVERURL"] = url
        async with program(*loadtest, "all", cwd=folder, **settings) as agent:
            agent_address = (await agent.line(r"Metrics for Prometheus.*?([\d.]+:\d+)"))[1]
            await agent.line("Entities begin to act")
            targets = {"mattermost": url.removeprefix("http://"), "loadtest": agent_address, "node": node}
            (folder / "prometheus.yml").write_text(yaml.safe_dump(_prometheus(targets)))
            where = ["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0"]
            async with program(tool("prometheus"), *where, cwd=folder) as prometheus:
                address = (await prometheus.line(r"Listening on\" address=([\d.]+:\d+)"))[1]
                await prometheus.line("ready to receive web requests")
                draining = [asyncio.create_task(one.line("^never$")) for one in (agent, server, prometheus, exporter)]
                try:
                    yield f"http://{address}"
                finally:
                    for task in draining:
                        task.cancel()
                    await asyncio.gather(*draining, return_exceptions=True)


def _prometheus(targets: dict[str, str]) -> dict[str, Any]:
    """Give a configuration that asks all targets every second."""
    jobs = [{"job_name": name, "static_configs": [{"targets": [at]}]} for name, at in targets.items()]
    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(path) for path in RULES.glob("*.yml")],
        "scrape_configs": jobs,
    }


async def ask(http: aiohttp.ClientSession, url: str, query: str) -> list[Any]:
    """Give the result of a query, which must be no error."""
    async with http.get(f"{url}/api/v1/query", params={"query": query.replace("$__rate_interval", "15s")}) as answer:
        body = await answer.json()
    assert body["status"] == "success", f"{query}: {body}"
    result: list[Any] = body["data"]["result"]
    return result


async def test_every_query_has_data_of_a_real_run(tmp_path: Path) -> None:
    """No panel is empty or an error, but those that say why they may be; no metric's name is one that nobody has."""
    wanted = [(name, panel, query) for name in NAMES for panel in panels(name) for query in panel["queries"]]
    empty = wanted
    async with everything(tmp_path) as url, aiohttp.ClientSession() as http:
        try:
            async with asyncio.timeout(DEADLINE_S):
                while empty:
                    results = [(one, await ask(http, url, one[2]["expr"])) for one in empty]
                    empty = [one for one, result in results if not result and "may_be_empty" not in one[1]]
                    await asyncio.sleep(0.5 if empty else 0)
        except TimeoutError:
            pytest.fail("\n".join(f"{name}, {panel['title']}: {query['expr']}" for name, panel, query in empty))
        async with http.get(f"{url}/api/v1/label/__name__/values") as answer:
            known = set((await answer.json())["data"])
        async with http.get(f"{url}/api/v1/rules") as answer:
            rules = [rule for group in (await answer.json())["data"]["groups"] for rule in group["rules"]]
    assert all(rule["health"] in ("ok", "unknown") for rule in rules), rules
    known |= set(real_servers_metrics())
    unknown = {name for _, _, query in wanted for name in metric_names(query["expr"])} - known - AT_ERRORS_ONLY
    assert not unknown


AT_ERRORS_ONLY = {"loadtest_request_errors_total", "loadtest_action_failures_total"}
"""Metrics that a run without errors does not have; docs/metrics.md names them."""


def real_servers_metrics() -> Iterator[str]:
    """Give the names of the series that real servers and their hosts have."""
    with (Path(__file__).parents[1] / "data" / "server-metrics.csv").open() as file:
        for row in csv.DictReader(file):
            histogram = row["type"].startswith(("histogram", "summary"))
            yield from (row["name"] + suffix for suffix in (("_bucket", "_sum", "_count", "") if histogram else ("",)))


def metric_names(expression: str) -> set[str]:
    """Give the names of the metrics in a query."""
    return set(re.findall(r"\b(?:loadtest|mattermost|node|go)_\w+", re.sub(r"by \([^)]*\)", "", expression)))
