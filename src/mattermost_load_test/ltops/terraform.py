"""Terraform, by python-terraform: the one place that runs it. Module, state and variables of a cluster are together.

::

    demo/terraform/           0700
        *.tf                  the module, as it was when the cluster was made: `delete` uses what `create` used
        terraform.tfvars.json its variables without the secret ones, which it reads from a pipe, 0600
        terraform.tfstate     what there is, passwords included, 0600
        output.jsonl          what Terraform said in its last call, 0600

Terraform runs in a session of its own, its output in that file: it ends in good order when we are killed, and the next
call waits for it. An interruption is passed on to it once: it ends what it has begun, and keeps what there is.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from filelock import FileLock, Timeout
from python_terraform import IsFlagged
from python_terraform import Terraform as CommandLines

from mattermost_load_test.errors import CloudError, LoadTestError, OperationError, OutputError, UsageError
from mattermost_load_test.ltops.progress import Progress
from mattermost_load_test.ltops.steps import Tell
from mattermost_load_test.ltops.store import write_private

OLDEST = (1, 5)
"""What the module needs."""

LOCK_WAIT_S = 1800
"""How long a call waits for one that goes on although its `ltops` was killed: a database takes less to be made."""

PLUGINS_WAIT_S = 900
_FOLDER = "terraform"
_STATE = "terraform.tfstate"
_VARIABLES = "terraform.tfvars.json"
_OUTPUT = "output.jsonl"
_OWN = ("tests", ".terraform", "*.tfstate*", "*.tfvars*", ".git")
"""What lies in a module's folder and is not the module."""

_LEADING_ELSEWHERE = ("TF_CLI_ARGS", "TF_DATA_DIR", "TF_WORKSPACE")
"""Variables of the user's that would lead Terraform away from the cluster's state."""

T = TypeVar("T")

_POLL_S = 0.2
_LINES_KEPT = 40
_QUICK_S = 60
_WORDS_MAX = 600
_API_ERROR = re.compile(r"api error (\w+)")
_UNREACHABLE = re.compile(r"dial tcp|no such host|connection refused|i/o timeout|request send failed")


class Terraform:
    """Terraform for the cluster in `directory`, which need not hold anything of it yet."""

    def __init__(self, directory: Path, progress: Progress) -> None:
        self.folder = directory / _FOLDER
        self._plugins = directory.parent / ".terraform-plugins"
        self._progress = progress

    @property
    def begun(self) -> bool:
        """Whether anything may have been made."""
        return (self.folder / ".terraform").is_dir() or (self.folder / _STATE).exists()

    def check(self) -> None:
        """Raise `UsageError` where there is no Terraform, or one that is too old."""
        said = self._quick("version", json=IsFlagged)
        try:
            version = str(json.loads(said)["terraform_version"])
            numbers = tuple(int(part) for part in version.split(".")[:2])
        except (ValueError, KeyError, TypeError):
            raise UsageError(
                f"the terraform on the PATH is none: `terraform version -json` said {said[:100]!r}"
            ) from None
        if numbers < OLDEST:
            raise UsageError(
                f"terraform {version} is too old: this needs {'.'.join(map(str, OLDEST))} or later; "
                "https://developer.hashicorp.com/terraform/install"
            )

    def take(self, module: Path, variables: Mapping[str, Any]) -> None:
        """Put a copy of a module and its variables, none of which is secret, into the folder; raises `OutputError`."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for path in self.folder.glob("*.tf"):
                path.unlink()
            shutil.copytree(module, self.folder, ignore=shutil.ignore_patterns(*_OWN), dirs_exist_ok=True)
            self.folder.chmod(0o700)  # it had become the module's
        except (OSError, shutil.Error) as error:
            raise OutputError(f"the module {module} cannot be copied to {self.folder}: {error}") from error
        write_private(self.folder / _VARIABLES, json.dumps(dict(variables), indent=2) + "\n")

    def variables(self) -> dict[str, Any]:
        """Return the variables that were taken, none where that never came about."""
        return taken_variables(self.folder.parent)

    def change_variables(self, changed: Mapping[str, Any]) -> None:
        """Put others in place of some of the variables that were taken; raises `OutputError`."""
        write_private(self.folder / _VARIABLES, json.dumps(self.variables() | dict(changed), indent=2) + "\n")

    def apply(self, secrets: Mapping[str, str], tell: Tell, only: Sequence[str] = ()) -> None:
        """Bring about what the module says, going on from what is there; with `only`, no more than those resources.

        Raises `OperationError`, or `CloudError` where the cloud refused.
        """
        self._change("apply", secrets, tell, target=list(only))

    def destroy(self, secrets: Mapping[str, str], tell: Tell) -> None:
        """Remove all that the state knows; raises likewise."""
        self._change("destroy", secrets, tell)

    def outputs(self) -> dict[str, Any]:
        """Return the module's outputs by name, sensitive ones in clear; raises `OperationError`."""
        return {name: output["value"] for name, output in json.loads(self._quick("output", json=IsFlagged)).items()}

    def _change(self, command: str, secrets: Mapping[str, str], tell: Tell, **options: Any) -> None:
        tell("getting Terraform's provider")
        self._init()
        with _piped(secrets) as pipe:
            self._stream(
                command,
                tell,
                [pipe],
                json=IsFlagged,
                input=False,
                auto_approve=IsFlagged,
                lock_timeout=f"{LOCK_WAIT_S}s",
                var_file=f"/dev/fd/{pipe}",
                **options,
            )

    def _init(self) -> None:
        """Get the module's providers; one at a time, since the folder that all clusters share takes no more."""
        self._plugins.mkdir(mode=0o700, exist_ok=True)
        try:
            with FileLock(self._plugins / "lock", timeout=PLUGINS_WAIT_S):
                self._stream("init", lambda words: None, input=False, no_color=IsFlagged)
        except Timeout:
            raise OperationError(
                f"another ltops has been getting Terraform's providers for {PLUGINS_WAIT_S / 60:g} minutes: "
                f"wait until it has ended ({self._plugins})"
            ) from None

    def _stream(self, command: str, tell: Tell, pipes: Sequence[int] = (), **options: Any) -> None:
        """Run a command whose output is followed, `pipes` being open to it; raises what it says."""
        path = self.folder / _OUTPUT
        write_private(path, "")
        with path.open("ab") as output:
            process = self._start(command, output, pipes, options)
        said = Said(tell)
        with self._progress.interruptible(lambda: process.send_signal(signal.SIGINT)), path.open("rb") as stream:
            while not _ended(process):
                said.take(stream.read())
            said.take(stream.read())
        if process.returncode:
            raise said.error(f"terraform {command}", path)

    def _start(
        self, command: str, output: BinaryIO, pipes: Sequence[int], options: Mapping[str, Any]
    ) -> subprocess.Popen[bytes]:
        """Start a command in the folder, in a session of its own: Ctrl-C on our terminal does not reach it."""
        line = self._line(command, options)
        return _translated(
            lambda: subprocess.Popen(
                line,
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=pipes,
                start_new_session=True,
                umask=0o077,
            )
        )

    def _quick(self, command: str, **options: Any) -> str:
        """Run a command that only looks, and return what it said; raises `OperationError`, `UsageError` without it."""
        line = self._line(command, options)
        where = self.folder if self.folder.is_dir() else None
        try:
            ended = _translated(
                lambda: subprocess.run(
                    line,
                    cwd=where,
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    timeout=_QUICK_S,
                    check=False,
                )
            )
        except subprocess.TimeoutExpired:
            raise OperationError(f"terraform {command} did not end within {_QUICK_S} s") from None
        if ended.returncode:
            raise OperationError(f"terraform {command}: {_shortened(ended.stderr or ended.stdout)}")
        return ended.stdout

    def _line(self, command: str, options: Mapping[str, Any]) -> list[str]:
        """Return a command line; it holds no secret. python-terraform would read a state that lay there: it is not."""
        line: list[str] = CommandLines(str(self.folder), state="none").generate_cmd_string(command, **options)
        self._progress.command(shlex.join(line))
        return line

    def _environment(self) -> dict[str, str]:
        """Return the variables that Terraform runs with."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_LEADING_ELSEWHERE)}
        return kept | {
            "CHECKPOINT_DISABLE": "1",  # it would ask the internet for newer versions
            "TF_IN_AUTOMATION": "1",
            "TF_PLUGIN_CACHE_DIR": str(self._plugins),  # a provider has hundreds of megabytes
            "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE": "true",  # it is written anew for every cluster
        }


@contextmanager
def _piped(secrets: Mapping[str, str]) -> Iterator[int]:
    """Give the end of a pipe that secret variables are read from, once: they stand in no file that could be left."""
    reading, writing = os.pipe()
    try:
        with os.fdopen(writing, "w") as pipe:
            pipe.writelines(f"{name} = {_quoted(value)}\n" for name, value in secrets.items())
        yield reading
    finally:
        os.close(reading)


def _quoted(text: str) -> str:
    """Return text as Terraform's language quotes it."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


def taken_variables(directory: Path) -> dict[str, Any]:
    """Return the variables of the cluster in `directory`, none where there are none yet."""
    try:
        found = json.loads((directory / _FOLDER / _VARIABLES).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


class Said:
    """What Terraform says, as it comes: lines of JSON, others where it speaks before it knows that it should."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._rest = b""
        self._planned = 0
        self._done = 0
        self._others: list[str] = []
        self._errors: list[str] = []

    def take(self, piece: bytes) -> None:
        """Take what came; a line that is not whole waits for its end."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            self._line(line.decode(errors="replace"))

    def error(self, what: str, path: Path) -> LoadTestError:
        """Return the error that a failed command ends with; all it said is in the file `path`."""
        first = self._errors[0] if self._errors else _shortened("\n".join(self._others)) or "it said nothing"
        more = f" (and {len(self._errors) - 1} more: {path})" if len(self._errors) > 1 else ""
        cloud = _API_ERROR.search(first)
        if cloud is None and not _UNREACHABLE.search(first):
            return OperationError(f"{what}: {first}{more}")
        hint = HINTS.get(cloud[1], "") if cloud else ""
        return CloudError(f"{what}: {first}{more}" + (f"; {hint}" if hint else ""))

    def _line(self, line: str) -> None:
        try:
            said = json.loads(line)
            kind, message = said["type"], said["@message"]
        except (ValueError, KeyError, TypeError):
            self._others.append(line)
            del self._others[:-_LINES_KEPT]
            return
        if kind == "diagnostic" and said["diagnostic"].get("severity") == "error":
            self._errors.append(_complaint(said["diagnostic"]))
        elif kind == "change_summary":
            self._planned = sum(said["changes"].get(name, 0) for name in ("add", "change", "remove"))
            self._tell(message)
        elif kind in ("apply_start", "apply_progress", "apply_complete"):
            self._done += kind == "apply_complete" and said["hook"]["action"] != "read"
            words = message.partition(" [id=")[0]
            self._tell(f"{self._done} of {self._planned}: {words}" if self._planned else words)


HINTS = {
    "InsufficientInstanceCapacity": "AWS has no such machine free there now: try again later, or delete the cluster "
    "and create it with another type, --zone or --region",
    "VcpuLimitExceeded": "the account may not run so many: ask for a higher quota (Service Quotas, EC2), or delete the "
    "cluster and create a smaller one",
    "VpcLimitExceeded": "remove a network of the region, ask for a higher quota, or give one with --vpc-id",
    "UnauthorizedOperation": "the permissions needed are in docs/terraform.md",
    "AccessDenied": "the permissions needed are in docs/terraform.md",
    "ExpiredToken": "log in to AWS again",
    "RequestExpired": "log in to AWS again",
}
"""What to do, by the code of AWS's error."""


def _complaint(diagnostic: Mapping[str, Any]) -> str:
    """Return a diagnostic of Terraform's in a line: what, about which resource or in which file."""
    where = diagnostic.get("address") or ""
    if not where and (place := diagnostic.get("range")):
        where = f"{place['filename']}:{place['start']['line']}"
    detail = _shortened(diagnostic.get("detail") or "")
    return ": ".join(part for part in (where, diagnostic.get("summary", ""), detail) if part)


def _shortened(text: str) -> str:
    """Return text in a line, without Terraform's frames, cut where it goes on and on."""
    words = " ".join(re.sub(r"[╷│╵]", " ", text).split())
    return words if len(words) <= _WORDS_MAX else f"{words[:_WORDS_MAX]}…"


def _ended(process: subprocess.Popen[bytes]) -> bool:
    """Wait a moment, and say whether a process has ended."""
    try:
        process.wait(_POLL_S)
    except subprocess.TimeoutExpired:
        return False
    return True


def _translated(start: Callable[[], T]) -> T:
    """Start Terraform; raises `UsageError` where it is not there."""
    try:
        return start()
    except FileNotFoundError:
        raise UsageError(
            "there is no terraform on the PATH, which makes clusters of this type: "
            "https://developer.hashicorp.com/terraform/install"
        ) from None
    except OSError as error:
        raise UsageError(f"terraform cannot be run: {error.strerror}") from error
