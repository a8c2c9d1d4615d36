"""Locust's load on the same server and route: the peer, in a process of its own; prints its figures as JSON."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402 — gevent wants to be first
import logging  # noqa: E402
import warnings  # noqa: E402

import click  # noqa: E402
import gevent  # noqa: E402
from locust import FastHttpUser, HttpUser, constant_pacing, task  # noqa: E402
from locust.env import Environment  # noqa: E402

from bench.measuring import Meter  # noqa: E402
from bench.null_server import raise_open_files  # noqa: E402

PATH = "/api/v4/users/me/teams/unread"
HEADERS = {"Authorization": "Bearer abcdefghijklmnopqrstuvwxyz"}
USERS = {"FastHttpUser": FastHttpUser, "HttpUser": HttpUser}

STARTED_WITHIN_S = 120.0  # until every user has made its first request


def user_class(kind: str, url: str, interval_s: float) -> type:
    """Return a class of Locust users that send one request over and over."""

    @task
    def ask(self) -> None:  # type: ignore[no-untyped-def]
        self.client.get(PATH, headers=HEADERS)

    def on_start(self) -> None:  # type: ignore[no-untyped-def]
        self.client.verify = False  # HttpUser's; the other one checks no certificate anyhow

    fields: dict[str, object] = {"host": url, "tasks": [], "ask": ask, "on_start": on_start}
    if interval_s:
        fields["wait_time"] = constant_pacing(interval_s)
    return type("Asking", (USERS[kind],), fields)


@click.command()
@click.option("--url", required=True, help="Where the null server is.")
@click.option("--kind", type=click.Choice(list(USERS)), default="FastHttpUser", show_default=True)
@click.option("--users", default=50, show_default=True)
@click.option("--interval", "interval_s", default=0.0, show_default=True, help="Seconds between requests; 0: none.")
@click.option("--seconds", default=5.0, show_default=True, help="How long to measure.")
def main(url: str, kind: str, users: int, interval_s: float, seconds: float) -> None:
    """Let Locust users send requests to a null server."""
    raise_open_files()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")  # of certificates that are not checked
    environment = Environment(user_classes=[user_class(kind, url, interval_s)])
    runner = environment.create_local_runner()
    # Paced users start evenly over one interval, as the agent's entities do.
    runner.start(users, spawn_rate=users / interval_s if interval_s else users)
    gevent.sleep(max(2.0, 2 * interval_s))
    total = environment.stats.total
    with gevent.Timeout(STARTED_WITHIN_S, exception=False):  # over TLS each user reads the authorities' certificates
        while total.num_requests < users:
            gevent.sleep(0.1)
    requests, errors = total.num_requests, total.num_failures
    meter = Meter()
    gevent.sleep(seconds)
    cost = meter.read()
    figures = {
        "requests": total.num_requests - requests,
        "errors": total.num_failures - errors,
        "cpu_s": cost.cpu_s,
        "wall_s": cost.wall_s,
    }
    print(json.dumps(figures))
    runner.quit()


if __name__ == "__main__":
    main()
