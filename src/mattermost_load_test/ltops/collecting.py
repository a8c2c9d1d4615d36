"""What tells of a cluster, put into one archive: logs, configurations without secrets, results, metrics, profiles."""

from __future__ import annotations

import tarfile
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import requests

from mattermost_load_test.errors import LoadTestError, OutputError, ServerUnreachableError, UsageError
from mattermost_load_test.ltops.cluster import Instance
from mattermost_load_test.ltops.inspecting import inspect
from mattermost_load_test.ltops.progress import LOG_FILE, Progress
from mattermost_load_test.ltops.providers import provider_of
from mattermost_load_test.ltops.providers.base import Provider
from mattermost_load_test.ltops.showing import as_json
from mattermost_load_test.ltops.steps import Stage, Step, Tell, carry_out
from mattermost_load_test.ltops.store import Cluster, Store

METRICS_TIMEOUT_S = 10.0
PROFILES_TIMEOUT_S = 60.0
PROFILES = ("goroutine", "block", "mutex", "heap")
"""What Go's net/http/pprof has at once: of the CPU `loadtest pprof` takes one, over a time, during a run."""


def collect_cluster(cluster: Cluster, output: Path | None, progress: Progress) -> Path:
    """Write the archive and return its path.

    What an instance cannot give is told and left out, and the archive says so; raises `UsageError` for a place that is
    none, `OutputError` when it cannot be written.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    target = (output or Path(f"{cluster.name}-{stamp}.tar.gz")).absolute()
    if not target.parent.is_dir():
        raise UsageError(f"there is no folder {target.parent} to put {target.name} into")
    with tempfile.TemporaryDirectory(prefix="ltops-") as place:
        top = Path(place) / f"{cluster.name}-{stamp}"
        try:
            _gather(cluster, top, progress)
            _pack(top, target)
        except OSError as error:
            target.unlink(missing_ok=True)
            raise OutputError(
                f"{error.filename or target} cannot be written: {error.strerror}; make room, or name another place "
                "with --output"
            ) from error
    return target


def _gather(cluster: Cluster, top: Path, progress: Progress) -> None:
    """Put everything into a folder, what is missing into a file beside it."""
    top.mkdir()
    found = inspect(Store(cluster.directory.parent), cluster.name)
    (top / "status.json").write_text(as_json([found], show_secrets=False) + "\n")
    _copy_files(cluster.directory, top, (LOG_FILE, "setup.log", "loadposts.log"))
    _copy_files(cluster.results, top / "results", [path.name for path in _files(cluster.results)])
    try:
        carry_out([_stage(cluster, top)], progress, lambda: None, f"ltops collect -c {cluster.name}")
    except LoadTestError as error:
        progress.warn(f"not all could be collected: {error}")
        (top / "missing.txt").write_text(f"{error}\n")


def _stage(cluster: Cluster, top: Path) -> Stage:
    """Return the steps that ask each instance, and the metrics."""
    provider = provider_of(cluster.state.kind)
    steps = []
    for instance in cluster.state.instances:
        into = top / "instances" / instance.name
        into.mkdir(parents=True)
        collect = partial(_collect, provider, cluster, instance, into)
        steps.append(Step(instance.name, "collect logs and configurations", collect))
        if instance.profiles_url:
            save = partial(save_profiles, provider, cluster, instance, into)
            steps.append(Step(instance.name, "take its profiles", save))
    if cluster.state.metrics_url:
        steps.append(Step("metrics", "take a snapshot", partial(_snapshot, provider, cluster, top / "metrics.json")))
    return steps


def _collect(provider: Provider, cluster: Cluster, instance: Instance, into: Path, tell: Tell) -> None:
    provider.collect(cluster, instance, into)


def save_profiles(provider: Provider, cluster: Cluster, instance: Instance, into: Path, tell: Tell) -> None:
    """Write what a server is about, as files that ``go tool pprof`` opens; raises `ServerUnreachableError`."""
    url = urlsplit(instance.profiles_url)
    with provider.reach(cluster, url.netloc) as address:
        for name in PROFILES:
            try:
                answer = requests.get(f"http://{address}{url.path}/{name}", timeout=PROFILES_TIMEOUT_S)
                answer.raise_for_status()
            except requests.RequestException as error:
                raise ServerUnreachableError(f"{url.geturl()}/{name} gave no profile: {error}") from error
            (into / f"pprof-{name}.pb.gz").write_bytes(answer.content)


def _snapshot(provider: Provider, cluster: Cluster, path: Path, tell: Tell) -> None:
    """Write the last value of every metric that Prometheus keeps."""
    url = cluster.state.metrics_url
    query = {"query": '{__name__!=""}'}
    with provider.reach(cluster, urlsplit(url).netloc) as address:
        try:
            answer = requests.get(f"http://{address}/api/v1/query", params=query, timeout=METRICS_TIMEOUT_S)
            answer.raise_for_status()
        except requests.RequestException as error:
            raise OutputError(f"{url} did not give its metrics: {error}") from error
    path.write_bytes(answer.content)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []


def _copy_files(source: Path, into: Path, names: list[str] | tuple[str, ...]) -> None:
    into.mkdir(exist_ok=True)
    for name in names:
        if (source / name).is_file():
            (into / name).write_bytes((source / name).read_bytes())


def _pack(top: Path, target: Path) -> None:
    """Pack a folder; the archive appears whole, for its owner only."""
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        unfinished.touch(mode=0o600)
        with tarfile.open(unfinished, "w:gz") as archive:
            archive.add(top, arcname=top.name)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
