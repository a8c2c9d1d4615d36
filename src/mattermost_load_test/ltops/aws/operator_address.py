"""The address that AWS sees us come from: what the cluster is opened to unless networks are named."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import AddressValueError, IPv4Address

import requests

from mattermost_load_test.errors import CloudError

LOOKUP_URL = "https://checkip.amazonaws.com"
"""Answers with the caller's address; LTOPS_ADDRESS_URL names another that does."""

LOOKUP_VARIABLE = "LTOPS_ADDRESS_URL"
_TIMEOUT_S = 10.0
_SHOWN = 60


def operator_network(environ: Mapping[str, str]) -> str:
    """Return our address as a network of one; raises `CloudError` where it is not to be had."""
    url = environ.get(LOOKUP_VARIABLE) or LOOKUP_URL
    try:
        answer = requests.get(url, timeout=_TIMEOUT_S)
        if answer.ok:
            return f"{IPv4Address(answer.text.strip())}/32"
        why = f"it answered {answer.status_code} {answer.reason}"
    except requests.RequestException as error:
        why = str(error)
    except AddressValueError:
        why = f"it answered {answer.text.strip()[:_SHOWN]!r}, which is no IPv4 address"
    raise CloudError(f"our own address could not be found out from {url} ({why}): name it with --allow-cidr")
