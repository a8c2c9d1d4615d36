"""The SSH key of a cluster: made here, never leaving this machine."""

from __future__ import annotations

import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)

from mattermost_load_test.errors import UsageError
from mattermost_load_test.ltops.store import write_private

KEY_FILE = "id_ed25519"
KNOWN_HOSTS_FILE = "known_hosts"


def key_file(directory: Path) -> Path:
    """Return where a cluster's private key is; the public one is beside it with ``.pub``."""
    return directory / KEY_FILE


def make_key(directory: Path, comment: str) -> None:
    """Make an ed25519 key in OpenSSH's form, unless there is one; raises `OutputError`."""
    path = key_file(directory)
    if not path.exists():
        made = Ed25519PrivateKey.generate()
        write_private(path, made.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode())
    write_private(path.with_suffix(".pub"), f"{public_key(directory)} {comment}\n")


def public_key(directory: Path) -> str:
    """Return a cluster's public key, ``ssh-ed25519 AAAA…``; raises `UsageError` where its key cannot be used."""
    path = check_key(directory)
    try:
        key = load_ssh_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise UsageError(f"the cluster's SSH key {path} cannot be used ({error}): put a copy back") from None
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def check_key(directory: Path) -> Path:
    """Return the file of a cluster's key; raises `UsageError` where it is missing or others may read it."""
    path = key_file(directory)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise UsageError(f"the cluster's SSH key {path} is not there ({error.strerror}): put a copy back") from None
    if mode & 0o077:
        raise UsageError(f"others can read the cluster's SSH key {path} (mode {mode:04o}): `chmod 600 {path}`")
    return path
