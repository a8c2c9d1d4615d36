"""What is to be on which host, worked out from a fleet: no host is asked."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import tarfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from rich.console import Console
from tests.loadtest.database.servers import free_port

from mattermost_load_test.errors import ArtifactError, UsageError
from mattermost_load_test.logs import Log
from mattermost_load_test.ltops.artifacts.archives import BUNDLE_CARD, BUNDLE_FORMAT
from mattermost_load_test.ltops.cluster import ClusterState
from mattermost_load_test.ltops.configuring import ConfigurationOrder, agent_configuration
from mattermost_load_test.ltops.hosts import planning
from mattermost_load_test.ltops.hosts.database import data_source, share
from mattermost_load_test.ltops.hosts.deployed import AgentBundle, Deployed, Package, Release
from mattermost_load_test.ltops.hosts.deployment import deployment_stages, instances
from mattermost_load_test.ltops.hosts.fleet import Bucket, DatabaseEndpoints, Fleet, Host
from mattermost_load_test.ltops.hosts.ordering import wanted
from mattermost_load_test.ltops.progress import Progress
from mattermost_load_test.ltops.providers.base import DeployOrder
from mattermost_load_test.ltops.roles import proxy_host
from mattermost_load_test.ltops.store import Cluster

HOSTS = {
    "app-0": ("203.0.113.1", "10.0.0.1"),
    "app-1": ("203.0.113.2", "10.0.0.2"),
    "proxy-0": ("203.0.113.3", "10.0.0.3"),
    "metrics-0": ("203.0.113.4", "10.0.0.4"),
    "loadtest-0": ("203.0.113.5", "10.0.0.5"),
}
DATABASE = DatabaseEndpoints("postgres", "writer", "reader", 2, 5432, "mattermost", "mmuser", SecretStr("p@ss/word"))
WHAT = Deployed(
    release=Release(path="/a", digest="a" * 64, top="mattermost", program="bin/mattermost", shipped={"X": {"Y": 1}}),
    bundle=AgentBundle(path="/b", digest="b" * 64, top="lt", version="1", pythons=("3.11",)),
    grafana=Package(path="/g", digest="c" * 64),
    connections=1000,
)


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """Give two servers, a proxy, metrics and an agent."""
    hosts = [
        Host(name, name.partition("-")[0], int(name[-1]), outside, inside)  # type: ignore[arg-type]
        for name, (outside, inside) in HOSTS.items()
    ]
    return Fleet("demo", hosts, "ubuntu", tmp_path / "key", tmp_path / "known", DATABASE, Bucket("files", "eu-west-1"))


def settings_of(fleet: Fleet, what: Deployed, name: str = "app-1") -> dict[str, Any]:
    """Return the config.json of a server."""
    part = planning.plan(fleet, what, "http://203.0.113.3", SecretStr("")).started[name]
    (file,) = [file for file in part.files if file.path.endswith("config.json")]
    assert (file.mode, file.path in part.watched) == (0o600, False)
    found = json.loads(file.content)
    assert isinstance(found, dict)
    return found


def test_servers_with_a_licence(fleet: Fleet) -> None:
    """They are one cluster, read from replicas, tell metrics, keep files in the bucket without a key of their own."""
    found = settings_of(fleet, WHAT.model_copy(update={"license": SecretStr("licence")}))
    assert found["ClusterSettings"]["ClusterName"] == "load-test"
    assert found["ClusterSettings"]["OverrideHostname"] == "10.0.0.2"
    assert found["MetricsSettings"] == {"Enable": True, "BlockProfileRate": 1, "ListenAddress": "10.0.0.2:8067"}
    assert found["SqlSettings"]["DataSourceReplicas"] == [
        "postgres://mmuser:p%40ss%2Fword@reader:5432/mattermost?sslmode=require&connect_timeout=10"
    ]
    assert found["SqlSettings"]["MaxOpenConns"] == 245  # (1000 - 20) / 2 servers / writer and readers
    assert found["FileSettings"] == {
        "DriverName": "amazons3",
        "Directory": "/var/lib/mattermost/files/",
        "AmazonS3AccessKeyId": "",
        "AmazonS3SecretAccessKey": "",
        "AmazonS3Bucket": "files",
        "AmazonS3Region": "eu-west-1",
        "AmazonS3Endpoint": "s3.amazonaws.com",
        "AmazonS3SSL": True,
        "PublicLinkSalt": WHAT.public_link_salt.get_secret_value(),
    }
    assert found["X"] == {"Y": 1}
    assert found["ServiceSettings"]["SiteURL"] == "http://203.0.113.3"


def test_servers_without_a_licence(fleet: Fleet) -> None:
    """What takes one is off, and what is missing is said."""
    found = settings_of(fleet, WHAT)
    assert not found["ClusterSettings"]["Enable"]
    assert not found["MetricsSettings"]["Enable"]
    assert found["SqlSettings"]["DataSourceReplicas"] == []
    assert len(planning.missing(fleet, WHAT)) == 2
    assert planning.missing(fleet, WHAT.model_copy(update={"license": SecretStr("x"), "grafana": None})) == [
        planning.NO_GRAFANA
    ]


def test_two_servers_are_one_site(fleet: Fleet, tmp_path: Path) -> None:
    """The proxy spreads over both, by a configuration that it takes; they differ in nothing but their own addresses."""
    plan = planning.plan(fleet, WHAT, "http://203.0.113.3", SecretStr(""))
    text = next(file.content for file in plan.installed["proxy-0"].files if file.path.endswith("nginx.conf")).decode()
    assert re.findall(r"server (.*);", text) == ["10.0.0.1:8065", "10.0.0.2:8065"]
    assert (settings_of(fleet, WHAT, "app-0"), len(plan.started)) == (settings_of(fleet, WHAT, "app-1"), 3)
    licensed = WHAT.model_copy(update={"license": SecretStr("bGljZW5jZQ==")})
    one, other = (settings_of(fleet, licensed, name) for name in ("app-0", "app-1"))
    assert {name for name in one if one[name] != other[name]} == {"ClusterSettings", "MetricsSettings"}
    keys = one["SqlSettings"]["AtRestEncryptKey"], one["FileSettings"]["PublicLinkSalt"]
    assert [len(key) for key in keys] == [32, 32]  # else each server makes its own
    assert json.dumps(one).replace("10.0.0.1", "10.0.0.2") == json.dumps(other)
    nginx_takes(text, tmp_path)


def nginx_takes(text: str, folder: Path) -> None:
    """Have nginx look at a host's configuration, with folders and a port that are to be had here."""
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        assert os.environ.get("CI") != "true", "CI must have nginx-light"
        pytest.skip("not on this machine: apt-get install nginx-light")
    path = folder / "nginx.conf"
    path.write_text(
        text.replace(proxy_host.STATE, str(folder)).replace("listen 80 ", f"listen 127.0.0.1:{free_port()} ")
    )
    looked = subprocess.run([nginx, "-t", "-c", path, "-e", "stderr"], capture_output=True, text=True)
    assert looked.returncode == 0, looked.stderr


def test_servers_without_a_bucket(fleet: Fleet) -> None:
    """Several do not see each other's files, which is said; one does not mind."""
    licensed = WHAT.model_copy(update={"license": SecretStr("x")})
    without = replace(fleet, bucket=None)
    files = settings_of(without, WHAT)["FileSettings"]
    assert files["DriverName"] == "local"
    assert planning.missing(without, licensed) == [planning.NO_SHARED_FILES]
    alone = replace(without, hosts=[host for host in fleet.hosts if host.name != "app-1"])
    assert planning.missing(alone, licensed) == []


def test_what_is_inside_is_reached_by_private_addresses(fleet: Fleet) -> None:
    """Proxies, metrics and agents use those; people use the others."""
    plan = planning.plan(fleet, WHAT, "http://203.0.113.3", SecretStr("secret"))
    nginx = next(file.content for file in plan.installed["proxy-0"].files if file.path.endswith("nginx.conf"))
    assert b"server 10.0.0.1:8065;" in nginx
    assert b"203.0.113" not in nginx
    scraped = next(file.content for file in plan.installed["metrics-0"].files if file.path.endswith("prometheus.yml"))
    assert b"10.0.0.5:9108" in scraped
    assert planning.site_url_of(fleet) == "http://203.0.113.3"
    urls = {one.name: (one.address, one.url) for one in instances(fleet)}
    assert urls["proxy-0"] == ("203.0.113.3", "http://10.0.0.3")
    assert [name for name in urls if name.startswith("db")] == ["db-0", "db-1", "db-2"]


def test_a_part_changes_with_what_is_in_it(fleet: Fleet) -> None:
    """Its digest is the same for the same, another for another release or password."""
    before = planning.plan(fleet, WHAT, "http://x", SecretStr("one"))
    same = planning.plan(fleet, WHAT, "http://x", SecretStr("one"))
    other = planning.plan(fleet, WHAT, "http://x", SecretStr("two"))
    assert [part.digest for part in before.of(fleet.hosts[3])] == [part.digest for part in same.of(fleet.hosts[3])]
    assert before.started["metrics-0"].digest != other.started["metrics-0"].digest
    assert WHAT.release is not None
    newer = WHAT.model_copy(update={"release": WHAT.release.model_copy(update={"digest": "d" * 64})})
    changed = planning.plan(fleet, newer, "http://x", SecretStr("one"))
    assert [part.name for part in changed.of(fleet.hosts[0]) if part not in before.of(fleet.hosts[0])] == [
        "mattermost-release",
        "mattermost",
    ]


def test_connections_fit_the_database() -> None:
    """All servers' sum is what it allows, less some for people; never more than the original tool's each."""
    assert (share(1000, 2), share(100, 1), share(100_000, 1), share(10, 4)) == (490, 80, 3000, 1)


def test_data_sources() -> None:
    """Both kinds of database as Mattermost writes them."""
    mysql = replace(DATABASE, driver="mysql", port=3306, password=SecretStr("word"))
    assert data_source(mysql).get_secret_value().startswith("mmuser:word@tcp(writer:3306)/mattermost?charset=")


def test_servers_on_a_mysql(fleet: Fleet) -> None:
    """They are told its kind and, with a licence, its reader; so are the agents and `ltops db`."""
    mysql = replace(fleet, database=replace(DATABASE, driver="mysql", port=3306, password=SecretStr("word")))
    found = settings_of(mysql, WHAT.model_copy(update={"license": SecretStr("x")}))["SqlSettings"]
    assert found["DriverName"] == "mysql"
    assert found["DataSource"].startswith("mmuser:word@tcp(writer:3306)/mattermost?")
    assert found["DataSourceReplicas"][0].startswith("mmuser:word@tcp(reader:3306)/mattermost?")
    assert [one.address for one in instances(mysql) if one.role == "db"] == [
        "writer:3306",
        "reader:3306",
        "reader:3306",
    ]


def ordered(fleet: Fleet, folder: Path, **order: Any) -> None:
    """Give an order that cannot be taken."""
    cluster, progress = made_of(folder)
    deployment_stages(cluster, fleet, DeployOrder(**order), progress)


def test_orders_that_cannot_be_taken(fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each says what is missing or means nothing, before any host is asked."""
    monkeypatch.setenv("LTOPS_URL_GRAFANA", "")
    with pytest.raises(UsageError, match=r"which Mattermost is to be tested\? `ltops deploy -c demo -m MATTERMOST`"):
        ordered(fleet, tmp_path)
    with pytest.raises(UsageError, match="--data-source means nothing here"):
        ordered(fleet, tmp_path, mattermost="x.tar.gz", data_source=SecretStr("x"))
    with pytest.raises(UsageError, match="--values means nothing for a cluster of type terraform"):
        ordered(fleet, tmp_path, values=tmp_path)
    agents = replace(fleet, hosts=[fleet.hosts[-1]], database=None, server_url="https://chat.example.com")
    with pytest.raises(UsageError, match="-m means nothing here"):
        ordered(agents, tmp_path, mattermost="x.tar.gz")
    with pytest.raises(ArtifactError, match="make a bundle by `make package`"):
        ordered(agents, tmp_path)
    (tmp_path / "license").write_text("none")
    with pytest.raises(UsageError, match="license is no Mattermost licence"):
        ordered(replace(fleet, hosts=fleet.hosts), tmp_path, license=tmp_path / "license", mattermost=archive(tmp_path))


def test_the_bundle_brings_its_configuration(fleet: Fleet, tmp_path: Path) -> None:
    """It is kept in the cluster's folder, for its owner only, and runs begin with it where nothing else is said."""
    bundle = tmp_path / "agents.tar.gz"
    card = {"format": BUNDLE_FORMAT, "version": "1", "pythons": ["3.11"]}
    files = {BUNDLE_CARD: card, "loadtestconfig.json": {"LoadtestEnviromentConfig": {"NumUsers": 77}}}
    with tarfile.open(bundle, "w:gz") as packed:
        for name, content in files.items():
            member, data = tarfile.TarInfo(f"agents/{name}"), json.dumps(content).encode()
            member.size = len(data)
            packed.addfile(member, io.BytesIO(data))
    home = tmp_path / "demo"
    home.mkdir()
    agents = replace(fleet, hosts=[fleet.hosts[-1]], database=None, server_url="https://chat.example.com")
    cluster, progress = made_of(home)
    found = wanted(cluster, agents, DeployOrder(loadtests=str(bundle)), progress)
    found.keep(home)
    assert Deployed.of(home) == found
    cluster.state.configuration = found.configuration_in(home)
    assert cluster.state.configuration == home / "loadtestconfig.json"
    assert cluster.state.configuration.stat().st_mode & 0o777 == 0o600
    cluster.state.instances, cluster.state.site_url = instances(agents), "https://chat.example.com"
    order = ConfigurationOrder(None, ["UserEntitiesConfiguration.NumActiveEntities=7"], {}, tmp_path)
    assert agent_configuration(cluster.state, order).configuration.environment.num_users == 77


def made_of(folder: Path) -> tuple[Cluster, Progress]:
    """Return a cluster that was made, and progress that nobody sees."""
    state = ClusterState(name="demo", kind="terraform", created_at=datetime.now(UTC), phase="created")
    return Cluster(folder, state), Progress(Console(file=io.StringIO()), Log(), None, verbose=False)


def archive(folder: Path) -> str:
    """Make a Mattermost archive with nothing in it but a program."""
    with tarfile.open(folder / "mattermost.tar.gz", "w:gz") as packed:
        packed.addfile(tarfile.TarInfo("mattermost/bin/mattermost"))
    return str(folder / "mattermost.tar.gz")
