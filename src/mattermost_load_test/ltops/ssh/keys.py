"""Keys: the one that opens a host, and the host keys that hosts are known by."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import paramiko
from filelock import FileLock

from mattermost_load_test.errors import HostError, OutputError, UsageError

FIRST_CONNECTION = "first connection"
"""Where a host's key is from unless it was known before."""

_OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def private_key(path: Path) -> paramiko.Ed25519Key:
    """Return a private key; raises `UsageError` for one that is not there, broken, or that others can read."""
    try:
        mode = path.stat().st_mode
        if mode & _OF_OTHERS:
            raise UsageError(
                f"others can read the key {path} (its mode is {stat.S_IMODE(mode):04o}), so whoever is on this "
                f"machine may log in on the cluster's hosts: chmod 600 {path}"
            )
        return paramiko.Ed25519Key.from_private_key_file(str(path))
    except paramiko.SSHException as error:
        raise UsageError(f"{path} is no ed25519 key without a passphrase: {error}") from error
    except OSError as error:
        raise UsageError(f"the key {path} cannot be read: {error.strerror}") from error


def known_as(host: str, port: int) -> str:
    """Return what a host is called where host keys are kept: ``host``, with a port of its own ``[host]:port``."""
    return host if port == paramiko.config.SSH_PORT else f"[{host}]:{port}"


class KnownHosts(paramiko.MissingHostKeyPolicy):
    """The host keys in a file of OpenSSH's format: who is not in it is added when met, by any of several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load_into(self, client: paramiko.SSHClient) -> None:
        """Tell a client the keys that are known."""
        if self.path.is_file():
            client.load_host_keys(str(self.path))

    def knows(self, hostname: str) -> bool:
        """Say whether the key of a host (``host`` or ``[host]:port``) is known."""
        return self.path.is_file() and paramiko.HostKeys(str(self.path)).lookup(hostname) is not None

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """Pin the key of a host that is met for the first time; paramiko calls this."""
        self.pin(hostname, key)

    def pin(self, hostname: str, key: paramiko.PKey, source: str = FIRST_CONNECTION) -> None:
        """Add the key of a host (``host`` or ``[host]:port``); raises `HostError` when it has another by now.

        `source` says where the key is from, behind it in the file.
        """
        try:
            with FileLock(self.path.with_name(f".{self.path.name}.lock"), mode=0o600):
                known = paramiko.HostKeys(str(self.path)) if self.path.is_file() else paramiko.HostKeys()
                there = known.lookup(hostname)
                if there is None:
                    fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
                    with os.fdopen(fd, "w") as file:
                        file.write(f"{hostname} {key.get_name()} {key.get_base64()} {source}\n")
                elif there.get(key.get_name()) != key:
                    raise HostError(self.changed(hostname))
        except OSError as error:
            raise OutputError(f"{self.path} cannot be written: {error.strerror}") from error

    def changed(self, hostname: str) -> str:
        """Return what a person can do about a host that has another key than it is known by."""
        return (
            f"{hostname} has another key than the one it is known by: somebody may listen in. If the host was set up "
            f"anew, forget its old key: ssh-keygen -f {self.path} -R '{hostname}'"
        )
