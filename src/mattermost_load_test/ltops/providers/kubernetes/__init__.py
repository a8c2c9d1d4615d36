"""Clusters on Kubernetes: a release of our chart by Helm, agents as an Indexed Job, all through the cluster's API."""

from mattermost_load_test.ltops.providers.kubernetes.provider import KubernetesProvider

__all__ = ["KubernetesProvider"]
