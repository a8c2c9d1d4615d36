"""Whole runs over https and wss, through an nginx that ends TLS: whom the agent trusts, and what it says if not."""

from __future__ import annotations

import datetime
import ipaddress
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

AgentHere = Any
"""An `Agent` of the conftest beside."""

NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off; client_max_body_size 100m; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/leaf.pem; ssl_certificate_key {folder}/leaf.key;
        location / {{
            proxy_pass {url}; proxy_http_version 1.1; proxy_read_timeout 120s;
            proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
            proxy_set_header Host $host;
        }}
    }}
    map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
}}
"""


@dataclass
class Front:
    """A TLS front before a server, and the authority that signed its certificate."""

    url: str
    authority: Path


def signed(name: str, issuer: x509.Name | None, by: Any, key: Any) -> x509.Certificate:
    """Return a certificate for loopback; without an issuer that of an authority, which signs itself."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer is not None:
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    return builder.sign(by, hashes.SHA256())


def written(path: Path, certificate: x509.Certificate) -> Path:
    """Write a certificate as PEM."""
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path


def certified(folder: Path) -> Path:
    """Make an authority and a certificate signed by it; return the authority's."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = signed("Test authority", None, root_key, root_key)
    written(folder / "leaf.pem", signed("127.0.0.1", root.subject, root_key, key))
    encoding = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "leaf.key").write_bytes(key.private_bytes(*encoding))
    return written(folder / "authority.pem", root)


@pytest.fixture
def front(embedded: Any, tmp_path: Path, until_listening: Any) -> Iterator[Front]:
    """Run an nginx before an embedded server."""
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        assert os.environ.get("CI") != "true", "CI lacks nginx"
        pytest.skip("there is no nginx: apt-get install nginx-light")
    folder = tmp_path / "nginx"
    folder.mkdir()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    authority = certified(folder)
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, port=port, url=embedded.url))
    process = subprocess.Popen([nginx, "-p", str(folder), "-c", str(configuration)], stderr=subprocess.PIPE)
    try:
        until_listening(port, process)
        yield Front(f"https://127.0.0.1:{port}", authority)
    finally:
        process.terminate()
        process.communicate()


def before(agent: AgentHere, front: Front, **keys: object) -> AgentHere:
    """Point the agent at the front."""
    keys = {"ServerURL": front.url, "WebsocketURL": "", **keys}
    agent.set(**{f"ConnectionConfiguration_{key}": value for key, value in keys.items()})
    agent.set(UserEntitiesConfiguration_ActionRateMilliseconds=1000, UserEntitiesConfiguration_TestLengthMinutes=0.05)
    return agent


@pytest.mark.parametrize("by", ["CAFile", "system"])
async def test_a_run_over_tls_by_a_known_authority(agent: AgentHere, front: Front, by: str) -> None:
    """Requests and websockets trust the authority in `CAFile` beside the system's, and the system's."""
    if by == "CAFile":
        before(agent, front, CAFile=front.authority)
    else:
        before(agent, front).environment["SSL_CERT_FILE"] = str(front.authority)  # OpenSSL's own place for them
    ended = await agent.run("all")
    assert ended.code == 0, ended.stderr
    assert "0 errors" in ended.stderr
    assert "0 missed" in ended.stderr
    assert " 0 events" not in ended.stderr
    assert not [line for line in ended.lines if "not verified" in line.get("msg", "")]


async def test_an_unknown_authority_is_refused(agent: AgentHere, front: Front) -> None:
    """Without a word about it nobody else's certificate is taken; the message names both keys."""
    ended = await before(agent, front).run("check")
    assert ended.code == 3
    assert "cannot be verified" in ended.error
    assert "CAFile" in ended.error
    assert "SkipCertificateVerification" in ended.error


async def test_verification_is_off_by_key_only_with_a_warning(agent: AgentHere, front: Front) -> None:
    """The key takes any certificate, for requests and websockets, and the log warns of it."""
    ended = await before(agent, front, SkipCertificateVerification="true").run("all")
    assert ended.code == 0, ended.stderr
    assert "0 errors" in ended.stderr
    assert " 0 events" not in ended.stderr
    (warning,) = [line for line in ended.lines if "Certificates are not verified" in line.get("msg", "")]
    assert warning["level"] == "warn"
