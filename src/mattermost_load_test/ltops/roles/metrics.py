"""Prometheus: what it scrapes, and Grafana's data source on it."""

from __future__ import annotations

from collections.abc import Mapping

from mattermost_load_test.ltops.roles.rendering import render

SCRAPE_INTERVAL_S = 10
"""As in the original tool."""


def prometheus_configuration(cluster: str, jobs: Mapping[str, Mapping[str, str]]) -> str:
    """Return prometheus.yml: of each job the addresses by instance; a job without any is left out."""
    wanted = {job: targets for job, targets in jobs.items() if targets}
    return render("prometheus.yml.j2", cluster=cluster, interval_s=SCRAPE_INTERVAL_S, jobs=wanted)
