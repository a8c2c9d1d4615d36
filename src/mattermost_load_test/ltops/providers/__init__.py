"""The kinds of cluster there are: a new one is a module with a `Provider` and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pkgutil import resolve_name

from mattermost_load_test.errors import ClusterError
from mattermost_load_test.ltops.providers.base import Provider

PROVIDERS: Mapping[str, str] = {
    "local": f"{__name__}.local:LocalProvider",
    "terraform": f"{__name__}.terraform_aws:TerraformProvider",
    "kubernetes": f"{__name__}.kubernetes:KubernetesProvider",
}
"""Where each is; it is imported when a cluster of its kind comes up: the clients of clouds take their time."""


@cache
def provider_of(kind: str) -> Provider:
    """Return the provider of a kind of cluster; raises `ClusterError` for one that this version does not know."""
    if kind not in PROVIDERS:
        raise ClusterError(f"this ltops knows no clusters of type {kind}; it knows: {', '.join(PROVIDERS)}")
    provider: Provider = resolve_name(PROVIDERS[kind])()
    return provider
