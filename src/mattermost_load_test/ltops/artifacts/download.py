"""Downloads that go on where they were cut off, kept so that the same file is brought once.

A file in the making lies in the cache as ``….part`` beside a card that says which version of it that is (entity tag);
only a server that still has that version is asked for the rest. What is complete is compared with the checksum that
its address names (``#sha256=…``) or that lies beside it (``….sha256``), where there is one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import requests
import tenacity
from filelock import FileLock

from mattermost_load_test.errors import DownloadError
from mattermost_load_test.ltops.artifacts.addresses import without_secrets
from mattermost_load_test.ltops.digests import sha256_of

CONNECT_S, READ_S = 15.0, 60.0
ATTEMPTS = 6  # in all; between them 1, 2, 4 … seconds
CHUNK_BYTES = 1 << 16  # what a broken connection loses at most
CHECKSUM_LIMIT_BYTES = 4096  # a longer answer is no checksum

Progress = Callable[[int, int | None], None]
"""Is told how many bytes of a file are here, and how many there are in all, where that is known."""


@dataclass(slots=True)
class _Card:
    """What is known of a file in the cache: its version at the server (entity tag, time); once whole, its checksum."""

    etag: str = ""
    modified: str = ""
    sha256: str = ""

    @property
    def version(self) -> str:
        """What names this version of the file to its server; empty when the server names none (weak tags do not)."""
        return self.modified if self.etag.startswith("W/") else self.etag or self.modified


class _CutOffError(Exception):
    """A transfer broke off, or did not begin; it may be tried again. `reason` says why."""


class Downloads:
    """A folder of downloaded files. `pause` waits between attempts, in seconds."""

    def __init__(self, folder: Path, pause: Callable[[float], None]) -> None:
        self._folder = folder
        self._pause = pause

    def fetch(self, url: str, progress: Progress, *, settled: bool = False) -> Path:
        """Return the file at `url`, from the cache where it is there; what is `settled` is not compared again.

        Raises `DownloadError` when it cannot be had, `OSError` when the disk is full; what is here by then is gone on
        from the next time.
        """
        url, fragment = urldefrag(url)
        path = self._path(url)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        wanted = fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else ""
        with FileLock(path.with_name(path.name + ".lock")), requests.Session() as session:
            card = _read_card(path)
            if path.exists() and (settled or (wanted and card.sha256 == wanted)):
                return path
            transfer = _Transfer(session, url, path, progress)
            self._until_whole(transfer)
            transfer.check(wanted)
            return path

    def _path(self, url: str) -> Path:
        """Return where the file of an address is kept: readable, and never the same for two addresses."""
        name = re.sub(r"[^A-Za-z0-9._-]", "_", Path(unquote(urlsplit(url).path)).name) or "download"
        return self._folder / hashlib.sha256(url.encode()).hexdigest()[:12] / name

    def _until_whole(self, transfer: _Transfer) -> None:
        """Go on with a transfer until it is complete, a bounded number of times."""
        trying = tenacity.Retrying(
            sleep=self._pause,
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=tenacity.wait_exponential(multiplier=1, max=30),
            retry=tenacity.retry_if_exception_type(_CutOffError),
            reraise=True,
        )
        try:
            trying(transfer.go_on)
        except _CutOffError as error:
            raise DownloadError(
                f"{transfer.shown_url} could not be downloaded in {ATTEMPTS} attempts: {error}. "
                "What is here is kept; the same command goes on from it"
            ) from error


class _Transfer:
    """One file on its way from its address to its place in the cache."""

    def __init__(self, session: requests.Session, url: str, path: Path, progress: Progress) -> None:
        self._session = session
        self._url = url
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._progress = progress
        self.shown_url = without_secrets(url)

    def go_on(self) -> None:
        """Ask for what is not here yet and take it in; raises `_CutOffError` when it breaks off on the way."""
        try:
            with self._ask() as answer:
                self._take(answer)
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            raise _CutOffError(_reason(error)) from error
        except requests.RequestException as error:
            raise DownloadError(f"{self.shown_url} could not be downloaded: {_reason(error)}") from error

    def check(self, wanted: str) -> None:
        """Compare what is here with its checksum; raises `DownloadError`, and forgets the file, when it differs."""
        card = _read_card(self._path)
        card.sha256 = sha256_of(self._path)
        expected = wanted.lower() or self._published_sha256()
        if expected and card.sha256 != expected:
            self._path.unlink()
            raise DownloadError(
                f"{self.shown_url} is damaged or was replaced: its SHA-256 is {card.sha256}, {expected} was expected. "
                "It was deleted; try again, or ask whoever published it"
            )
        _write_card(self._path, card)

    def _ask(self) -> requests.Response:
        """Ask for the file: for all of it, for the rest of it, or whether the copy that is here is still good."""
        headers = {"Accept-Encoding": "identity"}
        if self._path.exists():
            card = _read_card(self._path)
            if card.etag:
                headers["If-None-Match"] = card.etag
            elif card.modified:
                headers["If-Modified-Since"] = card.modified
        elif self._part.exists() and _read_card(self._part).version:
            headers["Range"] = f"bytes={self._part.stat().st_size}-"
            headers["If-Range"] = _read_card(self._part).version
        return self._session.get(self._url, headers=headers, stream=True, timeout=(CONNECT_S, READ_S))

    def _take(self, answer: requests.Response) -> None:
        """Write what an answer brings, and put the file into its place when it is whole."""
        status = answer.status_code
        if status == HTTPStatus.NOT_MODIFIED:
            return
        if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            self._part.unlink(missing_ok=True)
            raise _CutOffError("what was here was not a part of the file")
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _CutOffError(f"the server answered {status}")
        if status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
            raise DownloadError(f"{self.shown_url} was answered {status}{_advice(status)}")
        if answer.headers.get("Content-Type", "").partition(";")[0].strip() == "text/html":
            raise DownloadError(f"{self.shown_url} is a page of HTML, not an archive: open it in a browser to see why")
        begin, total = _extent(answer)
        if begin and begin != self._part.stat().st_size:
            self._part.unlink()
            raise _CutOffError("the server sent another part than was asked for")
        card = _Card(answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", ""))
        _write_card(self._part, card)
        self._write(answer, begin, total)
        _write_card(self._path, card)
        self._part.replace(self._path)
        _card_path(self._part).unlink(missing_ok=True)

    def _write(self, answer: requests.Response, begin: int, total: int | None) -> None:
        """Append the body to what is here; raises `_CutOffError` when it is shorter or longer than was said."""
        done = begin
        with self._part.open("ab" if begin else "wb") as file:
            self._progress(done, total)
            for chunk in answer.iter_content(CHUNK_BYTES):
                file.write(chunk)
                done += len(chunk)
                self._progress(done, total)
        if total is not None and done != total:
            if done > total:
                self._part.unlink()
            raise _CutOffError(f"{done:,} of {total:,} bytes came")

    def _published_sha256(self) -> str:
        """Return the checksum that lies beside the file, in the form of ``sha256sum``; empty when there is none."""
        url = urlsplit(self._url)
        with suppress(requests.RequestException):
            address = url._replace(path=url.path + ".sha256").geturl()
            answer = self._session.get(address, timeout=(CONNECT_S, READ_S), stream=True)
            with answer:
                if answer.status_code == HTTPStatus.OK:
                    text = answer.raw.read(CHECKSUM_LIMIT_BYTES, decode_content=True).decode("ascii", "replace")
                    found = re.match(r"([0-9a-fA-F]{64})\b", text)
                    return found[1].lower() if found else ""
        return ""


def pull_request_head(url: str) -> str:
    """Return the newest commit of the pull request with the page `url`; raises `DownloadError` when there is none."""
    try:
        answer = requests.get(url, headers={"Accept": "application/vnd.github+json"}, timeout=(CONNECT_S, READ_S))
        if answer.status_code != HTTPStatus.OK:
            raise DownloadError(f"{url} was answered {answer.status_code}{_advice(answer.status_code)}")
        return str(answer.json()["head"]["sha"])
    except (requests.RequestException, KeyError, TypeError) as error:
        raise DownloadError(f"{url} does not tell the pull request's newest commit: {_reason(error)}") from error


def _extent(answer: requests.Response) -> tuple[int, int | None]:
    """Return at which byte an answer's body begins, and how many the file has, where that is known."""
    length = answer.headers.get("Content-Length")
    if answer.status_code == HTTPStatus.OK:
        return 0, int(length) if length else None
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
    if found is None:
        raise _CutOffError("the server sent a part without saying which")
    return int(found[1]), None if found[2] == "*" else int(found[2])


def _advice(status: int) -> str:
    """Return what may help against a status."""
    if status == HTTPStatus.NOT_FOUND:
        return (
            ": there is no such build (those of pull requests appear when their checks are done, and go after a while)"
        )
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return ": it is not open to you, or not there; download it another way and name the file"
    return ""


def _reason(error: Exception) -> str:
    """Return why a transfer failed, without the address in it, which may hold a secret."""
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    link: BaseException | None = error
    said = ""
    while link is not None:
        if isinstance(link, OSError) and link.strerror:
            said = link.strerror
        link = link.__cause__ or link.__context__
    broken = isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError)
    return said or ("the connection broke off" if broken else type(error).__name__)


def _card_path(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _read_card(path: Path) -> _Card:
    """Return what is known of a file; nothing when its card is missing or broken."""
    try:
        return _Card(**json.loads(_card_path(path).read_text()))
    except (OSError, ValueError, TypeError):
        return _Card()


def _write_card(path: Path, card: _Card) -> None:
    _card_path(path).write_text(json.dumps(asdict(card)))
