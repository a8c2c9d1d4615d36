"""What MATTERMOST and LOADTESTS may be on the command line, and where each of it lies.

The addresses stand in `Addresses` and nowhere else. Those of Mattermost are from its documentation's version archive
(releases), its deployment pages (latest), its scripts (branches) and its workflow "Server CI Artifacts" (pull requests;
team edition, kept by commit). Each can be replaced by an environment variable, `LTOPS_URL_RELEASE` and so on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import urlsplit

from mattermost_load_test.errors import ArtifactError

VARIABLE_PREFIX = "LTOPS_URL_"

RELEASE_NAME = re.compile(r"v?(\d+\.\d+)(\.\d+)?(-rc\d+)?")
COMMIT_NAME = re.compile(r"[0-9a-f]{40}")
BRANCH_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
ARCHIVE_SUFFIXES = (".tar.gz", ".tgz")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where builds are to be had; a name in braces is replaced. Empty: there are none at a known address."""

    release: str = "https://releases.mattermost.com/{version}/mattermost-{version}-linux-amd64.tar.gz"
    latest: str = "https://latest.mattermost.com/mattermost-enterprise-linux"
    branch: str = (
        "https://releases.mattermost.com/mattermost-platform/{branch}/mattermost-enterprise-linux-amd64.tar.gz"
    )
    commit: str = "https://pr-builds.mattermost.com/mattermost/commit/{commit}/mattermost-team-linux-amd64.tar.gz"
    pull_request: str = "https://api.github.com/repos/mattermost/mattermost/pulls/{number}"
    """A page of JSON with the pull request's newest commit as ``head.sha``."""
    loadtests: str = ""
    """The agent's bundle, for LOADTESTS ``master``."""
    grafana: str = "https://dl.grafana.com/oss/release/grafana_12.0.2_amd64.deb"
    """Debian's package of Grafana, as its download page names it; a file will do; empty: hosts get none."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Addresses:
        """Return the addresses with those that `environment` replaces."""
        names = [field.name for field in fields(cls)]
        found = {name: environment.get(VARIABLE_PREFIX + name.upper()) for name in names}
        return cls(**{name: value for name, value in found.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Source:
    """Where an artifact lies: a local file, or an address.

    `name` is what a person calls it; what stands at a `settled` address never changes, so that a copy need not be
    compared with it again.
    """

    name: str
    path: Path | None = None
    url: str = ""
    settled: bool = False


HeadCommit = Callable[[str], str]
"""Finds the newest commit of a pull request, given the address of its page."""


def mattermost_source(reference: str, addresses: Addresses, head_commit: HeadCommit) -> Source:
    """Return where the Mattermost lies that `reference` means.

    A file, a URL, ``latest``, a release (``5.37.0``, ``v11.6``), the number of a pull request, a commit, or a branch
    such as ``master``. Raises `ArtifactError` when it is none of these.
    """
    direct = _file_or_url(reference, "a Mattermost archive")
    if direct is not None:
        return direct
    if reference == "latest":
        return Source("Mattermost's latest release", url=addresses.latest)
    if reference.isdecimal():
        commit = head_commit(addresses.pull_request.format(number=reference))
        return Source(
            f"Mattermost's pull request {reference}", url=addresses.commit.format(commit=commit), settled=True
        )
    release = RELEASE_NAME.fullmatch(reference)
    if release is not None:
        version = f"{release[1]}{release[2] or '.0'}{release[3] or ''}"
        return Source(f"Mattermost {version}", url=addresses.release.format(version=version), settled=True)
    if COMMIT_NAME.fullmatch(reference):
        url = addresses.commit.format(commit=reference)
        return Source(f"Mattermost's commit {reference[:10]}", url=url, settled=True)
    if BRANCH_NAME.fullmatch(reference) and ".." not in reference:
        return Source(f"Mattermost's branch {reference}", url=addresses.branch.format(branch=reference))
    raise ArtifactError(
        f"{reference!r} is no Mattermost: name a file, a URL, `latest`, a release (11.6.0), a branch (master) "
        "or the number of a pull request"
    )


def loadtests_source(reference: str, addresses: Addresses) -> Source:
    """Return where the agent's bundle lies that `reference` means: a file, a URL, or ``master``.

    Raises `ArtifactError` when it is none of these, or no address of ``master`` is known.
    """
    direct = _file_or_url(reference, "a bundle of the agent, as `make package` makes it")
    if direct is not None:
        return direct
    if reference != "master":
        raise ArtifactError(
            f"{reference!r} is no bundle of the agent: name a file that `make package` made, a URL, or `master`"
        )
    if not addresses.loadtests:
        raise ArtifactError(
            "no address of the agent's `master` is known: make a bundle by `make package` and name its file, "
            f"or set {VARIABLE_PREFIX}LOADTESTS"
        )
    return Source("the agent's master", url=addresses.loadtests)


def grafana_source(addresses: Addresses) -> Source | None:
    """Return where Grafana's package lies, None where it is not wanted; raises `ArtifactError` for a lost file."""
    return _file_or_url(addresses.grafana, "Debian's package of Grafana")


def _file_or_url(reference: str, wanted: str) -> Source | None:
    """Return where a file or URL lies; nothing where `reference` is a name. Raises `ArtifactError` for a lost file."""
    if reference.startswith("file://"):
        return _file(Path(urlsplit(reference).path), wanted)
    if "://" in reference:
        if not reference.startswith(("http://", "https://")):
            raise ArtifactError(f"{reference}: only http://, https:// and file:// are understood")
        return Source(without_secrets(reference), url=reference)
    path = Path(reference).expanduser()
    if not reference:
        return None
    if path.is_file() or path.is_dir() or reference.endswith(ARCHIVE_SUFFIXES) or reference.startswith((".", "/", "~")):
        return _file(path, wanted)
    return None


def _file(path: Path, wanted: str) -> Source:
    """Return a local file as a source."""
    if path.is_dir():
        raise ArtifactError(f"{path} is a folder; name {wanted} (a .tar.gz file)")
    if not path.is_file():
        raise ArtifactError(f"{path}: there is no such file; name {wanted}")
    return Source(str(path), path=path.resolve())


def without_secrets(url: str) -> str:
    """Return a URL without user, password and query, which may hold a signature."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"
