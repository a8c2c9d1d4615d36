"""Local clusters: this machine as a cluster, its instances processes kept by a supervisord."""

from mattermost_load_test.ltops.providers.local.provider import LocalProvider

__all__ = ["LocalProvider"]
