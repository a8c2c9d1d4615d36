"""Certificates and kubeconfig files of a test's cluster: an authority of its own, all P-256, good for a day."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = datetime.timedelta(days=1)
ADMINISTRATORS = "system:masters"
"""The group that may do everything."""


class Authority:
    """Signs certificates, and writes them and their keys into a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])
        builder = self._builder(self._name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self._certificate = builder.sign(self._key, hashes.SHA256())
        self.file = self._write("ca.crt", _pem(self._certificate))

    def key(self, name: str) -> tuple[Path, Path]:
        """Make a bare key, for service accounts' tokens; return the files of its private and public half."""
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return self._write(f"{name}.key", _private(key)), self._write(f"{name}.pub", public)

    def serving(self, name: str, addresses: Sequence[str]) -> tuple[Path, Path]:
        """Make a certificate for a server at host names and addresses; return its file and its key's."""
        return self._issue(name, name, "", ExtendedKeyUsageOID.SERVER_AUTH, addresses)

    def client(self, user: str, group: str = "") -> tuple[Path, Path]:
        """Make a certificate for a user of Kubernetes; return its file and its key's."""
        return self._issue(user.replace(":", "-"), user, group, ExtendedKeyUsageOID.CLIENT_AUTH, ())

    def kubeconfig(self, server: str, user: str, group: str = "", *, namespace: str = "default") -> Path:
        """Write a kubeconfig file for a user of an API server at a URL, with all that it needs in it."""
        certificate, key = (base64.b64encode(path.read_bytes()).decode() for path in self.client(user, group))
        authority = base64.b64encode(self.file.read_bytes()).decode()
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": {"server": server, "certificate-authority-data": authority}}],
            "users": [{"name": user, "user": {"client-certificate-data": certificate, "client-key-data": key}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": user, "namespace": namespace}}],
            "current-context": "test",
        }
        return self._write(f"{user.replace(':', '-')}.kubeconfig", json.dumps(document).encode())

    def _issue(
        self, name: str, user: str, group: str, usage: x509.ObjectIdentifier, addresses: Sequence[str]
    ) -> tuple[Path, Path]:
        """Make and write a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, user)]
        attributes += [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group)] if group else []
        builder = self._builder(x509.Name(attributes), key.public_key()).add_extension(
            x509.ExtendedKeyUsage([usage]), critical=False
        )
        if addresses:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_general_name(one) for one in addresses]), critical=False
            )
        certificate = builder.sign(self._key, hashes.SHA256())
        return self._write(f"{name}.crt", _pem(certificate)), self._write(f"{name}.key", _private(key))

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        """Return the beginning of every certificate; it is good from a minute ago."""
        start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=1)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + LIFETIME)
        )

    def _write(self, name: str, content: bytes) -> Path:
        """Write a file that only its owner can read."""
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)
        return path


def _pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate as text."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a private key as text, in the form that every component reads."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _general_name(address: str) -> x509.GeneralName:
    """Return an address or host name as a certificate names it."""
    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        return x509.DNSName(address)
