"""The kinds of cluster there are: a new one is a module with a `Provider` and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from mattermost_load_test.errors import ClusterError
from mattermost_load_test.ltops.providers.base import Provider
from mattermost_load_test.ltops.providers.local import LocalProvider
from mattermost_load_test.ltops.providers.terraform_aws import TerraformProvider

PROVIDERS: Mapping[str, Provider] = {
    "local": LocalProvider(),
    "terraform": TerraformProvider(),
}


def provider_of(kind: str) -> Provider:
    """Return the provider of a kind of cluster; raises `ClusterError` for one that this version does not know."""
    try:
        return PROVIDERS[kind]
    except KeyError:
        raise ClusterError(f"this ltops knows no clusters of type {kind}; it knows: {', '.join(PROVIDERS)}") from None
