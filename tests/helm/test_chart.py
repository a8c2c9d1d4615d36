"""The Helm chart: rendered by a real Helm for every profile and switch, and refused by name where a value is wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

CHART = Path(__file__).parents[2] / "helm" / "mattermost-load-test"
LICENSED = ("--set-string", "mattermost.license.content=licence")
Document = dict[str, Any]
Render = Callable[..., list[Document]]


@pytest.fixture(scope="session")
def helm() -> str:
    """Give the path of Helm: the one that the development environment brings, else the machine's."""
    beside = Path(sys.executable).with_name("helm")
    path = str(beside) if beside.exists() else shutil.which("helm")
    if path is None:
        assert not os.environ.get("CI"), "CI wants helm"
        pytest.skip("no helm here: https://helm.sh/docs/intro/install/")
    return path


def call(helm: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call Helm, offline."""
    return subprocess.run([helm, *arguments], text=True, capture_output=True, timeout=60)


@pytest.fixture
def render(helm: str) -> Render:
    """Give what renders the chart with some options."""

    def rendered(*options: str) -> list[Document]:
        ended = call(helm, "template", "trial", str(CHART), "--namespace", "lt", *options)
        assert ended.returncode == 0, ended.stderr
        return [document for document in yaml.safe_load_all(ended.stdout) if document]

    return rendered


def find(documents: list[Document], kind: str, name: str) -> Document:
    """Give the one document of a kind and name."""
    (found,) = [one for one in documents if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return found


def pods(documents: list[Document]) -> Iterator[tuple[str, Document]]:
    """Give name and specification of every pod that a document makes."""
    for one in documents:
        if one["kind"] in ("Deployment", "StatefulSet"):
            yield one["metadata"]["name"], one["spec"]["template"]["spec"]
        elif one["kind"] == "Pod":
            yield one["metadata"]["name"], one["spec"]


def environment(documents: list[Document]) -> dict[str, Any]:
    """Give the environment of the Mattermost container."""
    (container,) = find(documents, "Deployment", "trial-app")["spec"]["template"]["spec"]["containers"]
    return {entry["name"]: entry.get("value") for entry in container["env"]}


def test_the_chart_is_sound(helm: str) -> None:
    """As `helm lint --strict` sees it."""
    ended = call(helm, "lint", "--strict", str(CHART))
    assert ended.returncode == 0, ended.stdout


ROWS = yaml.safe_load((CHART / "profiles.yaml").read_text())["standard"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["users"]))
def test_sizes_follow_from_the_profile(render: Render, row: dict[str, Any]) -> None:
    """Each row of the table, for exactly as many users as it is for."""
    documents = render("--set", f"profile.users={row['users']}", *LICENSED)
    assert find(documents, "Deployment", "trial-app")["spec"]["replicas"] == row["app"]["replicas"]
    assert find(documents, "Deployment", "trial-proxy")["spec"]["replicas"] == row["proxy"]["replicas"]
    (database,) = find(documents, "StatefulSet", "trial-db")["spec"]["template"]["spec"]["containers"]
    assert database["resources"]["requests"] == {"cpu": str(row["db"]["cores"]), "memory": f"{row['db']['gib']}Gi"}
    assert f"shared_buffers={row['db']['gib'] * 256}MB" in database["args"]


def test_one_application_server_without_a_licence(render: Render) -> None:
    """Several would not see each other's events; with a licence they are a cluster."""
    without, with_licence = render(), render(*LICENSED)
    assert find(without, "Deployment", "trial-app")["spec"]["replicas"] == 1
    assert environment(without)["MM_CLUSTERSETTINGS_ENABLE"] == "false"
    assert environment(with_licence)["MM_CLUSTERSETTINGS_ENABLE"] == "true"
    assert "MM_LICENSE" in environment(with_licence)


@pytest.mark.parametrize(
    ("options", "gone", "there"),
    [
        (("--set", "proxy.enabled=false"), "trial-proxy", "trial-app"),
        (("--set", "prometheus.enabled=false"), "trial-prometheus", "trial-app"),
        (("--set", "grafana.enabled=false"), "trial-grafana", "trial-app"),
        (("--set", "mattermost.enabled=false"), "trial-app", "trial-agents"),
        (("--set", "mattermost.files.enabled=false"), "trial-files", "trial-app"),
        (
            ("--set", "postgresql.enabled=false", "--set", "externalDatabase.dataSource=postgres://a:b@db/mm"),
            "trial-db",
            "trial-app",
        ),
        (("--set", "ingress.enabled=true", "--set", "ingress.host=chat.example.com"), "nothing", "trial"),
    ],
)
def test_everything_can_be_switched(render: Render, options: tuple[str, ...], gone: str, there: str) -> None:
    """What is off leaves nothing behind, what is on is there."""
    names = {one["metadata"]["name"] for one in render(*options)}
    assert gone not in names
    assert there in names


@pytest.mark.parametrize("options", [(), LICENSED], ids=["plain", "licensed"])
def test_pods_may_do_nothing_but_run(render: Render, options: tuple[str, ...]) -> None:
    """Non-root, a read-only file system, no service account's token, a readiness probe for every workload."""
    for name, pod in pods(render(*options)):
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"], name
        for container in pod["containers"]:
            security = container["securityContext"]
            assert security["readOnlyRootFilesystem"], name
            assert not security["allowPrivilegeEscalation"], name
            assert security["capabilities"] == {"drop": ["ALL"]}, name
            assert "requests" in container["resources"], name
            assert "readinessProbe" in container or name == "trial-test", name


def test_secrets_stand_in_secrets_only(render: Render) -> None:
    """Neither password nor licence is in anything else."""
    documents = render("--set-string", "grafana.adminPassword=hunter2hunter2", *LICENSED)
    rest = json.dumps([one for one in documents if one["kind"] != "Secret"])
    password = find(documents, "Secret", "trial-database")["stringData"]["password"]
    assert len(password) == 32
    assert not [secret for secret in (password, "hunter2hunter2", '"licence"') if secret in rest]


def test_dashboards_come_along(render: Render) -> None:
    """Those of dashboards/, as they are."""
    shown = find(render(), "ConfigMap", "trial-dashboards")["data"]
    assert sorted(shown) == ["agents.json", "database-and-hosts.json", "overview.json", "server.json"]
    assert json.loads(shown["overview.json"])["uid"] == "loadtest-overview"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--set", "mattermost.replica=2"), "Additional property replica is not allowed"),
        (("--set", "mattermost.replicas=two"), "mattermost.replicas: Invalid type"),
        (("--set", "profile.users=0"), "profile.users: Must be greater than or equal to 1"),
        (("--set", "profile.name=huge"), "profile.name must be one of the following"),
        (("--set", "mattermost.environment.FOO=1"), "mattermost.environment"),
        (("--set", "postgresql.enabled=false"), "externalDatabase.dataSource"),
        (("--set", "externalDatabase.readReplicas={postgres://a/b}"), "read replicas want a licence"),
    ],
)
def test_a_wrong_value_is_refused_by_name(helm: str, options: tuple[str, ...], message: str) -> None:
    """Nothing is rendered from it."""
    ended = call(helm, "template", "trial", str(CHART), *options)
    assert ended.returncode != 0
    assert message in ended.stderr


GOLDEN = Path(__file__).parents[1] / "data" / "helm" / "defaults.yaml"
SECRETS_GIVEN = ("--set-string", "grafana.adminPassword=graf4na", "--set-string", "postgresql.password=p0stgres")


def test_the_defaults_are_what_they_were(render: Render) -> None:
    """Secrets given, dashboards and rules left out, which have tests of their own.

    Where a change is meant: GOLDEN=write make test PYTEST_ARGS=tests/helm, and read the difference.
    """
    documents = render(*SECRETS_GIVEN)
    for name in ("trial-dashboards", "trial-prometheus"):
        data = find(documents, "ConfigMap", name)["data"]
        for key in [key for key in data if key != "prometheus.yml"]:
            data[key] = "…"
    text = yaml.safe_dump_all(documents, sort_keys=True, allow_unicode=True, width=120)
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()
