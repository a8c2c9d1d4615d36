"""The agents of a cluster on Kubernetes: for each job an Indexed Job, which keeps going whatever becomes of us.

Beside each agent runs a keeper in its pod, which outlasts it until its files are fetched: the pod's status tells how
the agent is, and what it wrote is read through the keeper.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar

from mattermost_load_test.errors import ClusterError, LoadTestError, OperationError, ServerError
from mattermost_load_test.ltops.clocks import least_offset_ms
from mattermost_load_test.ltops.providers.base import LOG_FILE, AgentState, Digest, Job
from mattermost_load_test.ltops.providers.kubernetes.api import Api
from mattermost_load_test.ltops.providers.kubernetes.fetching import Fetch, Source, digest
from mattermost_load_test.ltops.providers.kubernetes.jobs import AgentPod, job_of, secret_of
from mattermost_load_test.ltops.providers.kubernetes.names import INDEX, JOB, job_name, selector
from mattermost_load_test.ltops.providers.kubernetes.states import (
    container_status,
    is_gone,
    loss_of,
    runs,
    state_of,
    state_without_pod,
    unseen_losses,
)
from mattermost_load_test.ltops.providers.kubernetes.streams import Place, run

BATCH = "batch/v1"
GONE_S = 120.0
"""How long the pods of an earlier job may take to end: they write their reports."""

CLOCKS_AT_ONCE = 8

_POLL_S = 0.5
Object = Mapping[str, Any]


class KubernetesAgents:
    """See `Agents`. `cluster` is the cluster's name."""

    starts_again: ClassVar[bool] = True
    come_with_a_job: ClassVar[bool] = True

    def __init__(self, api: Api, cluster: str, now_s: Callable[[], float] = time.time) -> None:
        self._api = api
        self._cluster = cluster
        self._now_s = now_s
        self._pods: dict[int, Sequence[Object]] = {}
        self._over: set[int] = set()
        self._fetches: dict[tuple[int, str], Fetch] = {}

    def clock_offsets_ms(self) -> Sequence[float]:
        """Return by how much at least the clock of each agent that was seen last is ahead of ours."""
        pods = [pods[-1]["metadata"]["name"] for _, pods in sorted(self._pods.items())]
        with ThreadPoolExecutor(max_workers=CLOCKS_AT_ONCE) as pool:
            return list(pool.map(self._clock_offset_ms, pods))

    def _clock_offset_ms(self, pod: str) -> float:
        asked_s = self._now_s()
        there = run(self._api, Place(pod, "keeper"), ["date", "+%s%N"]).stdout.strip()
        return least_offset_ms(asked_s, int(there) / 1e9, self._now_s()) if there.isdigit() else 0.0

    def start(self, job: Job) -> None:
        """Start a job; raises `OperationError` where the earlier one does not end."""
        self._forget()
        pod = agent_pod(self._api, self._cluster)
        self._remove_earlier()
        secret = secret_of(self._cluster, job)
        self._api.create(self._api.namespaced("secrets"), secret)
        made = self._api.create(self._api.namespaced("jobs", group=BATCH), job_of(self._cluster, job, pod))
        owner = {"apiVersion": BATCH, "kind": "Job", "name": made["metadata"]["name"], "uid": made["metadata"]["uid"]}
        path = self._api.namespaced("secrets", secret["metadata"]["name"])
        self._api.patch(path, {"metadata": {"ownerReferences": [owner]}})  # it goes when the job does

    def states(self, job_id: str, count: int) -> Sequence[AgentState]:
        """Return how each agent of a job is."""
        self._look(job_id)
        job = self._api.get(self._api.namespaced("jobs", job_name(self._cluster, job_id), BATCH)) or {}
        counts_more = job.get("status", {}).get("failed", 0) and all(index in self._pods for index in range(count))
        absent = not all(self._has_pod(index) for index in range(count))
        events = self._events(job) if job and (counts_more or absent) else ()
        unseen = unseen_losses(job, events, self._pods) if counts_more else {}
        found = [self._state(job, events, index, unseen.get(index)) for index in range(count)]
        self._over = {index for index, state in enumerate(found) if state.over}
        return found

    def _has_pod(self, index: int) -> bool:
        """Say whether an agent has a pod that is not gone."""
        pods = self._pods.get(index, ())
        return bool(pods) and not is_gone(pods[-1])

    def _state(self, job: Object, events: Sequence[Object], index: int, unseen: str | None) -> AgentState:
        """Return how one agent is; what is lost with its earlier pods is lost whatever becomes of it."""
        pods = self._pods.get(index, ())
        gone = [loss_of(pod) for pod in pods[:-1]] + ([unseen] if unseen else [])
        if self._has_pod(index):
            state = state_of(pods[-1], self._now_s())
        else:
            gone += [loss_of(pod) for pod in pods[-1:]]
            state = state_without_pod(job, events, index)
        return replace(state, losses=[*gone, *state.losses])

    def read(self, job_id: str, index: int, file: str, offset: int) -> bytes:
        """Return the next piece of a file from `offset` on."""
        source = self._source(job_id, index, file)
        if source is None:
            return b""
        fetch = self._fetches.get((index, file))
        if fetch is None or fetch.source != source or fetch.offset != offset or (fetch.over and source.grows):
            if fetch is not None:
                fetch.close()
            fetch = self._fetches[index, file] = Fetch(self._api, source, offset)
        piece = fetch.take()
        if not piece and not source.grows:
            fetch.close()
            del self._fetches[index, file]
        return piece

    def digest(self, job_id: str, index: int, file: str) -> Digest | None:
        """Return a file's size and checksum."""
        source = self._source(job_id, index, file)
        return None if source is None else digest(self._api, source.place, file)

    def home(self, job_id: str, index: int) -> str:
        """Return the id of the agent's pod."""
        source = self._source(job_id, index, LOG_FILE)
        return "" if source is None else source.pod_id

    def stop(self, job_id: str, count: int) -> None:
        """Send each agent SIGTERM, which ends it as Ctrl-C does."""
        self._look(job_id)
        for *_, pod in self._pods.values():
            if runs(pod, "agent"):
                run(self._api, Place(pod["metadata"]["name"], "agent"), ["kill", "-TERM", "1"])

    def release(self, job_id: str) -> None:
        """Let the keepers end; those that cannot be told end by themselves, or when the next job starts."""
        self._forget()
        with suppress(ServerError):
            self._look(job_id)
        for *_, pod in self._pods.values():
            if runs(pod, "keeper"):
                with suppress(ServerError):
                    run(self._api, Place(pod["metadata"]["name"], "keeper"), ["touch", "/work/fetched"])

    def _forget(self) -> None:
        """Let go of all streams."""
        for fetch in self._fetches.values():
            fetch.close()
        self._fetches.clear()
        self._over.clear()

    def _look(self, job_id: str) -> None:
        """See which pods each agent has had, the newest last."""
        label = f"{JOB}={job_name(self._cluster, job_id)}"
        pods = self._api.items(self._api.namespaced("pods"), labelSelector=label)
        pods.sort(key=lambda pod: str(pod["metadata"]["creationTimestamp"]))
        by_index: dict[int, list[Object]] = {}
        for pod in pods:
            by_index.setdefault(int(pod["metadata"].get("annotations", {}).get(INDEX, 0)), []).append(pod)
        self._pods = dict(by_index)

    def _events(self, job: Object) -> Sequence[Object]:
        """Return what happened to a job."""
        name = job["metadata"]["name"]
        return self._api.items(self._api.namespaced("events"), fieldSelector=f"involvedObject.name={name}")

    def _source(self, job_id: str, index: int, file: str) -> Source | None:
        """Return where a file of an agent is, None while nobody keeps it."""
        if index not in self._pods:
            self._look(job_id)
        *_, pod = self._pods.get(index, (None,))
        if pod is None or not runs(pod, "keeper"):
            return None
        metadata = pod["metadata"]
        restarts = container_status(pod, "agent").get("restartCount", 0)
        grows = file == LOG_FILE and index not in self._over
        return Source(Place(metadata["name"], "keeper"), metadata["uid"], restarts, file, grows)

    def _remove_earlier(self) -> None:
        """Remove the jobs before, and wait until their agents have ended."""
        remove_jobs(self._api, self._cluster)
        deadline_s = time.monotonic() + GONE_S
        while left := self._api.items(self._api.namespaced("pods"), labelSelector=selector(self._cluster, "loadtest")):
            if time.monotonic() > deadline_s:
                names = ", ".join(pod["metadata"]["name"] for pod in left)
                raise OperationError(f"agents of an earlier job do not end: {names}")
            time.sleep(_POLL_S)


def remove_jobs(api: Api, cluster: str) -> None:
    """Begin to remove all jobs of a cluster, with their pods and secrets."""
    for job in api.items(api.namespaced("jobs", group=BATCH), labelSelector=selector(cluster, "loadtest")):
        api.delete(api.namespaced("jobs", job["metadata"]["name"], BATCH))


def agent_pod(api: Api, cluster: str) -> AgentPod:
    """Return what agents are made of; raises `ClusterError` where nothing is deployed."""
    found = api.get(api.namespaced("configmaps", f"{cluster}-agent"))
    if found is None:
        raise ClusterError(
            f"there is no {cluster}-agent in the namespace {api.namespace}: `ltops deploy -c {cluster}` puts it there"
        )
    try:
        return AgentPod.of(found)
    except (KeyError, ValueError) as error:
        raise _foreign(cluster) from error


def _foreign(cluster: str) -> LoadTestError:
    return ClusterError(f"{cluster}-agent is of another ltops: `ltops deploy -c {cluster}` brings it up to date")
