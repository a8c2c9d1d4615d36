"""Terraform itself, and servers that answer as AWS does: moto's, and one that refuses what it is told to refuse."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

ROOT = Path(__file__).parents[3]
STAND_IN = ROOT / "tests" / "hosts" / "module"
"""The module that makes nothing."""

MIRRORS = (Path("/opt/tf-plugins"), Path("/usr/share/terraform/plugins"))
"""Where the AWS provider may lie on a machine without internet."""

REGION = "eu-central-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "nothing-secret"}
PROXY_TIMEOUT_S = 60

IMAGE = {
    "ami_id": "ami-0a1b2c3d4e5f60718",
    "name": "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20261101",
    "owner_id": "099720109477",
    "state": "available",
    "public": True,
    "description": "Ubuntu 24.04",
    "architecture": "x86_64",
    "image_location": "ubuntu",
    "image_type": "machine",
    "platform": None,
    "hypervisor": "xen",
    "virtualization_type": "hvm",
    "root_device_name": "/dev/sda1",
    "root_device_type": "ebs",
    "sriov": "simple",
    "creation_date": "2026-11-01T00:00:00.000Z",
}
"""Canonical's image, which moto does not know of itself."""

Ops = Any
"""An `Ops` of the conftest above."""


@pytest.fixture(scope="session")
def with_terraform() -> None:
    """Skip a test where there is no Terraform."""
    if shutil.which("terraform") is None:
        assert not os.environ.get("CI"), "CI wants terraform"
        pytest.skip("no terraform here: https://developer.hashicorp.com/terraform/install")


@pytest.fixture(scope="session")
def terraform(with_terraform: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Give the variables by which Terraform finds the AWS provider, offline; skip where that is not there."""
    mirror = next((path for path in MIRRORS if (path / "registry.terraform.io/hashicorp/aws").is_dir()), None)
    if mirror is None:
        pytest.skip(
            f"no AWS provider here (terraform providers mirror {MIRRORS[0]}, in {ROOT / 'terraform'}): "
            "the flow runs on a module of terraform_data alone, in test_stand_in.py"
        )
    settings = tmp_path_factory.mktemp("terraform") / "terraformrc"
    settings.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n')
    return {"TF_CLI_CONFIG_FILE": str(settings), "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}


@dataclass(frozen=True)
class Aws:
    """A server that answers as AWS does, with nothing in it but what every account has from the beginning."""

    url: str

    def client(self, service: str) -> Any:
        """Return a client of a service."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="AKIATEST",
            aws_secret_access_key="nothing-secret",
        )

    @property
    def variables(self) -> dict[str, str]:
        """What leads programs here, whatever AWS configuration this machine has."""
        return {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """Give moto's server, which all tests share: they run on one worker, marked with the group `aws`."""
    images = tmp_path_factory.mktemp("moto") / "images.json"
    images.write_text(json.dumps([IMAGE]))
    log = images.with_name("log")
    with log.open("w") as output:
        process = subprocess.Popen(
            [Path(sys.executable).parent / "moto_server", "-H", "127.0.0.1", "-p", "0"],
            env=os.environ | {"MOTO_AMIS_PATH": str(images)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Aws(_announced(process, log))
    finally:
        process.kill()
        process.wait()


def _announced(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait for the address that a server says it is on."""
    for _ in range(600):
        if said := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
            return said[0]
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        break
    pytest.fail(f"moto does not run: {log.read_text()}")


@pytest.fixture
def on_aws(ops: Ops, aws: Aws, terraform: dict[str, str]) -> Ops:
    """Give `ltops` with moto for AWS, and the real module and provider."""
    ops.environment |= {**aws.variables, **terraform}
    return ops


@pytest.fixture
def aside(ops: Ops, with_terraform: None) -> Ops:
    """Give `ltops` with the module that makes nothing."""
    ops.environment["LTOPS_TERRAFORM_MODULE"] = str(STAND_IN)
    return ops


Answer = tuple[int, str]
"""The status and the text of an answer."""


@pytest.fixture
def checked(aside: Ops, aws: Aws) -> Ops:
    """Give `ltops` with moto for AWS and a module that names AWS's provider, but makes nothing: all is checked."""
    module = aside.folder / "module"
    shutil.copytree(STAND_IN, module)
    main = module / "main.tf"
    main.write_text(f"{main.read_text()}# hashicorp/aws\n")
    aside.environment |= {**aws.variables, "LTOPS_TERRAFORM_MODULE": str(module)}
    return aside


@dataclass
class Refusing:
    """A server that answers what `answers` says for an action, and passes all else on to `behind`, if there is one.

    An answer may be made of the body of the request.
    """

    behind: str = ""
    answers: dict[str, Answer | Callable[[str], Answer]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, headers: Mapping[str, str], body: bytes) -> Answer | None:
        """Return the answer to a request: its action is in its body, or in a header where it is JSON."""
        found = re.search(rb"(?:^|&)Action=(\w+)", body)
        action = found[1].decode() if found else headers.get("X-Amz-Target", "").rpartition(".")[2]
        self.asked.append(action)
        answer = self.answers.get(action) or self.answers.get("*")
        return answer(body.decode()) if callable(answer) else answer


@contextmanager
def serving(refusing: Refusing) -> Iterator[Refusing]:
    """Let it serve, on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, text = refusing.answer(self.headers, body) or self._passed_on(body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST  # as the handler calls it

        def _passed_on(self, body: bytes) -> Answer:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            answer = requests.post(refusing.behind + self.path, body, headers=headers, timeout=PROXY_TIMEOUT_S)
            return answer.status_code, answer.text

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    refusing.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))  # so soon it sees that it is to end
    thread.start()
    try:
        yield refusing
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


Refuse = Callable[..., Refusing]
"""Starts a `Refusing` with these answers; it ends with the test."""


@pytest.fixture
def refuse() -> Iterator[Refuse]:
    """Give what starts servers that refuse."""
    with ExitStack() as running:

        def start(answers: dict[str, Answer | Callable[[str], Answer]], behind: str = "") -> Refusing:
            return running.enter_context(serving(Refusing(behind, answers)))

        yield start


def as_ec2_error(status: int, code: str) -> Answer:
    """Return an error as EC2 answers it."""
    error = f"<Error><Code>{code}</Code><Message>No.</Message></Error>"
    return status, f"<Response><Errors>{error}</Errors><RequestID>1</RequestID></Response>"


def console(*keys: str) -> str:
    """Return what the console of a host shows once it has booted: Ubuntu's, cut short."""
    return "\r\n".join(
        [
            "[    0.000000] Linux version 6.8.0-1031-aws (buildd@lcy02-amd64-091) (x86_64-linux-gnu-gcc-13 13.3.0)",
            "<14>Nov 26 10:00:21 cloud-init: -----BEGIN SSH HOST KEY FINGERPRINTS-----",
            "<14>Nov 26 10:00:21 cloud-init: 256 SHA256:qcEWp9dBmXtYkL root@ip-10-77-0-12 (ED25519)",
            "<14>Nov 26 10:00:21 cloud-init: -----END SSH HOST KEY FINGERPRINTS-----",
            "-----BEGIN SSH HOST KEY KEYS-----",
            *keys,
            "-----END SSH HOST KEY KEYS-----",
            "[   21.805171] cloud-init[1043]: Cloud-init v. 25.1.4-0ubuntu0~24.04.1 finished. Up 21.79 seconds",
            "",
        ]
    )


def as_ec2_answer(text: str) -> Answer:
    """Return a console's output as EC2 answers it."""
    output = base64.b64encode(text.encode()).decode()
    return 200, f"<GetConsoleOutputResponse><output>{output}</output></GetConsoleOutputResponse>"
