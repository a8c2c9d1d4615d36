"""The host keys of instances, as their consoles show them: cloud-init prints them there once it has made them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import paramiko
from botocore.exceptions import ClientError
from paramiko.hostkeys import HostKeyEntry, InvalidHostKey

from mattermost_load_test.ltops.aws.account import Account, code_of, refusals

_BLOCK = re.compile(r"-----BEGIN SSH HOST KEY KEYS-----(.*?)-----END SSH HOST KEY KEYS-----", re.DOTALL)
_KEY = re.compile(r"\b(ssh-ed25519|ecdsa-sha2-nistp\d+|ssh-rsa) (AAAA[0-9A-Za-z+/]+=*)")
_PREFERRED = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
_ONLY_OLD = {"UnsupportedOperation"}
_AT_ONCE_MAX = 16


def host_keys(account: Account, ids: Iterable[str]) -> Mapping[str, paramiko.PKey]:
    """Return the host key of each instance whose console shows one by now; raises `CloudError`."""
    ec2 = account.client("ec2")
    ids = list(ids)
    with refusals("AWS"), ThreadPoolExecutor(max_workers=_AT_ONCE_MAX) as pool:
        consoles = list(pool.map(lambda one: _console(ec2, one), ids))
    found = ((one, shown_key(console)) for one, console in zip(ids, consoles, strict=True))
    return {one: key for one, key in found if key is not None}


def shown_key(console: str) -> paramiko.PKey | None:
    """Return the best of the host keys that a console shows last, None while it shows none that is whole."""
    blocks = _BLOCK.findall(console)
    shown = dict(_KEY.findall(blocks[-1])) if blocks else {}
    keys = (_key(kind, shown[kind]) for kind in _PREFERRED if kind in shown)
    return next((key for key in keys if key is not None), None)


def _console(ec2: Any, instance_id: str) -> str:
    """Return what a console shows now; of types without Nitro AWS keeps but what it showed some minutes after boot."""
    try:
        answer = ec2.get_console_output(InstanceId=instance_id, Latest=True)
    except ClientError as error:
        if code_of(error) not in _ONLY_OLD:
            raise
        answer = ec2.get_console_output(InstanceId=instance_id)
    return str(answer.get("Output", ""))


def _key(kind: str, text: str) -> paramiko.PKey | None:
    """Return a key, None for one that is not whole: the kernel writes to the console, too."""
    try:
        entry = HostKeyEntry.from_line(f"host {kind} {text}")
    except (InvalidHostKey, paramiko.SSHException, ValueError):
        return None
    return entry.key if entry is not None and entry.key.get_base64() == text else None  # it fills up with zeros
