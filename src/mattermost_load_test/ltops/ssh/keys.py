"""Keys: the one that opens a host, and the host keys that hosts were first met with."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import paramiko
from filelock import FileLock

from mattermost_load_test.errors import HostError, OutputError, UsageError

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


class KnownHosts(paramiko.MissingHostKeyPolicy):
    """The host keys in a file of OpenSSH's format: who is not in it is added when met, by any of several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load_into(self, client: paramiko.SSHClient) -> None:
        """Tell a client the keys that are known."""
        if self.path.is_file():
            client.load_host_keys(str(self.path))

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """Pin the key of a host that is met for the first time; paramiko calls this."""
        self.pin(hostname, key)

    def pin(self, hostname: str, key: paramiko.PKey) -> None:
        """Add the key of a host (``host`` or ``[host]:port``); raises `HostError` when it has another by now."""
        try:
            with FileLock(self.path.with_name(f".{self.path.name}.lock"), mode=0o600):
                known = paramiko.HostKeys(str(self.path)) if self.path.is_file() else paramiko.HostKeys()
                there = known.lookup(hostname)
                if there is None:
                    fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
                    with os.fdopen(fd, "w") as file:
                        file.write(f"{hostname} {key.get_name()} {key.get_base64()}\n")
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
