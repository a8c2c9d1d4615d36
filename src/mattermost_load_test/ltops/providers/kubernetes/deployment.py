"""What `deploy` does on Kubernetes: the release brought to what is wanted, the agents' image tried."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from pydantic import SecretStr

from mattermost_load_test.errors import ClusterError, LoadTestError, OperationError, UsageError
from mattermost_load_test.ltops.artifacts.licenses import read_license
from mattermost_load_test.ltops.cluster import Instance, Role
from mattermost_load_test.ltops.helm import Helm, Release, ValuesError
from mattermost_load_test.ltops.progress import Progress
from mattermost_load_test.ltops.providers.base import DeployOrder
from mattermost_load_test.ltops.providers.kubernetes import capacity
from mattermost_load_test.ltops.providers.kubernetes.addresses import inside
from mattermost_load_test.ltops.providers.kubernetes.agents import agent_pod
from mattermost_load_test.ltops.providers.kubernetes.api import Api, ForbiddenError
from mattermost_load_test.ltops.providers.kubernetes.creation import make_namespace
from mattermost_load_test.ltops.providers.kubernetes.jobs import AgentPod, check_of
from mattermost_load_test.ltops.providers.kubernetes.names import CHART, COMPONENTS, INSTANCE, selector
from mattermost_load_test.ltops.providers.kubernetes.options import Deployed, KubernetesOptions, Where
from mattermost_load_test.ltops.providers.kubernetes.states import BUILD
from mattermost_load_test.ltops.providers.kubernetes.symptoms import symptom
from mattermost_load_test.ltops.providers.kubernetes.values import digest_of, merged, read_values
from mattermost_load_test.ltops.providers.kubernetes.watching import HOPELESS_S, Watch
from mattermost_load_test.ltops.shipped import shipped
from mattermost_load_test.ltops.steps import Stage, Step, Tell
from mattermost_load_test.ltops.store import Cluster

INSTALL_S = 900.0
IMAGE_CHECK_S = 600.0
"""How long the agents' image may take to be pulled."""

GONE_S = 120.0
SEVERAL_WITHOUT_LICENSE = (
    "a licence: several app servers without one do not see each other's events, so that users on different servers "
    "miss each other's posts until they reload"
)
AGENT_METRICS_PORT = 9108
"""As the chart says (`templates/_names.tpl`)."""

_POLL_S = 0.5
Object = Mapping[str, Any]


class Deployment:
    """One deployment; made before anything is done, it raises what is wrong with its order."""

    def __init__(self, cluster: Cluster, order: DeployOrder, progress: Progress) -> None:
        order.refuse("kubernetes", host_timeout_s="--host-timeout")
        order.refuse(
            "kubernetes: name images, and a database that is there, in a values file",
            mattermost="--mattermost",
            loadtests="--loadtests",
            data_source="--data-source",
        )
        self._cluster = cluster
        self._order = order
        self._where = Where.of(cluster)
        self._deployed = Deployed.of(cluster)
        self._chart = shipped("helm") / CHART
        self._server_url = KubernetesOptions.model_validate(cluster.state.options).server_url
        if self._server_url is not None and order.license is not None:
            raise UsageError("--license means nothing where there is a Mattermost already (`create --server-url`)")
        self._license = None if order.license is None else read_license(order.license)
        self._api = Api(self._where.namespace, self._where.context)
        self._helm = Helm(self._where.namespace, self._where.context, progress.command)
        self._helm.check()
        self._release = own_release(self._helm, self._where)
        self._users = order.users or cluster.state.users
        self._values = self._wanted_values()
        self._documents = self._rendered()
        self._pod = self._agent_pod()
        self._check_capacity()
        self._settle()

    def stages(self) -> Iterator[Stage]:
        """Yield secret, release, the agents' image, then addresses."""
        yield [
            Step(
                "namespace", f"have the namespace {self._where.namespace}", self._have_namespace, self._lacks_namespace
            )
        ]
        yield [self._license_step()] if self._license is not None else []
        yield [Step("release", "bring it up", self._install, self._is_pending)]
        yield [Step("agents", f"try their image {self._pod.image}", self._try_image, self._is_untried)]

    def _wanted_values(self) -> dict[str, Any]:
        """Return the release's values: those of the file, or those it has, under what we know better."""
        order, deployed = self._order, self._deployed
        if order.values is not None:
            base = read_values(order.values)
        else:
            base = self._helm.values(self._where.name) if self._release is not None else {}
        if order.agent_image is not None:
            deployed.agent_image = order.agent_image
        if self._license is not None:
            digest = hashlib.sha256(self._license).hexdigest()[:8]
            deployed.license_secret = f"{self._where.name}-license-{digest}"  # another licence: another name, new pods
        over: dict[str, Any] = {"owner": self._where.owner, "mattermost": {}, "agent": {}, "profile": {}}
        if self._users is not None:
            over["profile"]["users"] = self._users
        if deployed.agent_image:
            over["agent"] = {"image": {"reference": deployed.agent_image}}
        if deployed.license_secret:
            over["mattermost"]["license"] = {"existingSecret": deployed.license_secret}
        if order.force:
            over["mattermost"]["severalWithoutLicense"] = True
        if self._server_url is not None:
            over["mattermost"]["enabled"] = False
        return merged(base, {key: value for key, value in over.items() if value})

    def _rendered(self) -> list[dict[str, Any]]:
        """Return the chart's objects; raises `UsageError` for a value that it does not take."""
        try:
            text = self._helm.rendered(self._where.name, self._chart, self._values, self._api.version())
        except ValuesError as error:
            place = f"{self._order.values}: " if self._order.values is not None else ""
            raise UsageError(f"{place}{error}; the chart's values are in {self._chart / 'values.yaml'}") from None
        return [one for one in yaml.safe_load_all(text) if one]

    def _agent_pod(self) -> AgentPod:
        name = f"{self._where.name}-agent"
        return AgentPod.of(
            next(one for one in self._documents if (one["kind"], one["metadata"]["name"]) == ("ConfigMap", name))
        )

    def _check_capacity(self) -> None:
        """Raise `OperationError` when what is wanted has no room; nodes that we may not see are not judged."""
        if self._order.force:
            return
        try:
            nodes, pods = self._api.items("/api/v1/nodes"), self._api.items("/api/v1/pods")
        except ForbiddenError:
            return
        needs = [*capacity.needs_of(self._documents), *self._pod.needs]
        if lacking := capacity.shortage(needs, capacity.room_on(nodes, pods, self._where.name)):
            raise OperationError(
                f"the cluster has no room for {self._cluster.name}: {lacking}. Ask for fewer --users, add nodes, give "
                "smaller `resources` in a values file, or use --force"
            )

    def _settle(self) -> None:
        """Put into the state what there is to be."""
        state, where = self._cluster.state, self._where
        state.instances = [*self._instances(), *self._agent_instances()]
        state.acting_users = self._users
        proxies, apps = state.of_role("proxy"), state.of_role("app")
        state.site_url = str(self._server_url or next(one.url for one in [*proxies, *apps]))
        deployments = [one["metadata"]["name"] for one in self._documents if one["kind"] == "Deployment"]
        state.metrics_url = next((one.url for one in state.of_role("metrics") if one.url.endswith(":9090")), "")
        grafana = f"{where.name}-grafana"
        state.grafana_url = inside(grafana, where.namespace) if grafana in deployments else ""
        if state.of_role("db"):
            state.driver = "postgres"
            host = f"{where.name}-db.{where.namespace}.svc:5432"
            state.data_source = SecretStr(f"postgres://mmuser@{host}/mattermost?sslmode=disable")
        state.missing = self._missing()
        self._deployed.keep(self._cluster)

    def _instances(self) -> Iterator[Instance]:
        """Yield the instances of what the chart makes, as often as it makes them."""
        where = self._where
        urls = {
            "app": inside(f"{where.name}-app", where.namespace, self._app_port()),
            "proxy": inside(f"{where.name}-proxy", where.namespace),
            "prometheus": inside(f"{where.name}-prometheus", where.namespace, 9090),
            "grafana": inside(f"{where.name}-grafana", where.namespace),
        }
        counts: dict[Role, int] = {}
        for one in self._documents:
            if one["kind"] not in ("Deployment", "StatefulSet"):
                continue
            component = one["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"]
            role = next(role for role, components in COMPONENTS.items() if component in components)
            for _ in range(one["spec"]["replicas"]):
                index = counts.get(role, 0)
                counts[role] = index + 1
                yield Instance(role=role, index=index, address=f"{role}-{index}", url=urls.get(component, ""))

    def _agent_instances(self) -> list[Instance]:
        names = [f"loadtest-{index}" for index in range(self._pod.count)]
        return [
            Instance(
                role="loadtest", index=index, address=name, metrics_url=f"http://{name}:{AGENT_METRICS_PORT}/metrics"
            )
            for index, name in enumerate(names)
        ]

    def _app_port(self) -> int:
        """Return the port of the app's service."""
        for one in self._documents:
            if (one["kind"], one["metadata"]["name"]) == ("Service", f"{self._where.name}-app"):
                return int(one["spec"]["ports"][0]["port"])
        return 80

    def _missing(self) -> list[str]:
        """Return what this cluster lacks."""
        state = self._cluster.state
        apps, licensed = len(state.of_role("app")), bool(self._deployed.license_secret)
        given = self._values.get("mattermost", {}).get("license", {})
        if not apps or licensed or given.get("content") or given.get("existingSecret"):
            return []
        if apps > 1:
            return [SEVERAL_WITHOUT_LICENSE]
        return [
            "a licence: without one there is one app server, and no metrics of it; `ltops deploy -l FILE` brings the "
            "profile's, --force does so without one"
        ]

    def _lacks_namespace(self) -> bool:
        return self._api.get(f"/api/v1/namespaces/{self._where.namespace}") is None

    def _have_namespace(self, tell: Tell) -> None:
        self._where.namespace_made = make_namespace(self._api, self._where)
        self._where.keep(self._cluster)

    def _license_step(self) -> Step:
        """Return the step that puts the licence into a secret."""
        name = self._deployed.license_secret
        path = self._api.namespaced("secrets", name)
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "labels": {INSTANCE: self._where.name, "app.kubernetes.io/managed-by": "ltops"}},
            "stringData": {"license": (self._license or b"").decode().strip()},
        }

        def put(tell: Tell) -> None:
            self._api.create(self._api.namespaced("secrets"), secret)

        return Step("license", "put it into a secret", put, lambda: self._api.get(path) is None)

    def _is_pending(self) -> bool:
        """Say whether the release is not what is wanted."""
        release = own_release(self._helm, self._where)
        if release is None or release.status != "deployed":
            return True
        same = self._helm.values(self._where.name) == self._values
        return not same or self._deployed.chart_digest != digest_of(self._chart)

    def _install(self, tell: Tell) -> None:
        """Bring the release up, or say why it does not come."""
        release = own_release(self._helm, self._where)
        if release is not None and release.status.startswith("pending"):  # an ltops that was killed
            tell("an earlier deployment was cut short: undoing it")
            if release.revision == 1:
                self._helm.uninstall(self._where.name, INSTALL_S)
            else:
                self._helm.roll_back(self._where.name)
        if own_release(self._helm, self._where) is None:
            self._remove_claims()
        watch = Watch(self._api, self._where.name, tell)
        try:
            self._helm.install(self._where.name, self._chart, self._values, INSTALL_S, watch.hopeless)
        except OperationError as error:
            words = watch.words()
            raise type(error)(f"{error} ({words})" if words and words not in str(error) else str(error)) from None
        self._deployed.chart_digest = digest_of(self._chart)
        self._deployed.keep(self._cluster)
        self._remove_former_licenses()

    def _remove_former_licenses(self) -> None:
        """Remove the secrets of licences that another one has followed."""
        for one in self._api.items(self._api.namespaced("secrets"), labelSelector=selector(self._where.name)):
            name, made_by = one["metadata"]["name"], one["metadata"]["labels"].get("app.kubernetes.io/managed-by")
            is_license = made_by == "ltops" and name.startswith(f"{self._where.name}-license-")
            if is_license and name != self._deployed.license_secret:
                self._api.delete(self._api.namespaced("secrets", name))

    def _remove_claims(self) -> None:
        """Remove volumes of an installation that was undone: their database knows a password that is gone."""
        for claim in self._api.items(
            self._api.namespaced("persistentvolumeclaims"), labelSelector=selector(self._where.name)
        ):
            path = self._api.namespaced("persistentvolumeclaims", claim["metadata"]["name"])
            self._api.delete(path)
            self._gone(path, f"the volume claim {claim['metadata']['name']} of an earlier installation")

    def _is_untried(self) -> bool:
        return self._deployed.checked_image != self._pod.image

    def _try_image(self, tell: Tell) -> None:
        """Run the agents' image once; raises `OperationError` with how to bring another."""
        body = check_of(self._where.name, agent_pod(self._api, self._where.name), ["loadtest", "--version"])
        path = self._api.namespaced("pods", body["metadata"]["name"])
        self._api.delete(path)
        self._gone(path, "the pod that tried the agents' image before")
        self._api.create(self._api.namespaced("pods"), body)
        try:
            tell(self._version_of(path))
        finally:
            self._api.delete(path)
        self._deployed.checked_image = self._pod.image
        self._deployed.keep(self._cluster)

    def _version_of(self, path: str) -> str:
        """Return what the agents' image says of its version."""
        begun_s = time.monotonic()
        while True:
            pod = self._api.get(path)
            if pod is None:
                raise OperationError("the pod that tries the agents' image was removed by somebody")
            if pod.get("status", {}).get("phase") == "Succeeded":
                return self._api.text(f"{path}/log").strip()
            found, waited_s = symptom(pod), time.monotonic() - begun_s
            failed = pod.get("status", {}).get("phase") == "Failed"
            if failed or (found and found.hopeless and waited_s > HOPELESS_S) or waited_s > IMAGE_CHECK_S:
                raise self._no_image(found.text if found else f"it is not there after {waited_s:.0f} s")
            time.sleep(_POLL_S)

    def _no_image(self, why: str) -> LoadTestError:
        return OperationError(
            f"the agents' image {self._pod.image} cannot be used: {why}. {BUILD[:1].upper()}{BUILD[1:]}"
        )

    def _gone(self, path: str, what: str) -> None:
        """Wait until an object is gone; raises `OperationError`."""
        deadline_s = time.monotonic() + GONE_S
        while self._api.get(path) is not None:
            if time.monotonic() > deadline_s:
                raise OperationError(f"{what} does not go")
            time.sleep(_POLL_S)


def own_release(helm: Helm, where: Where) -> Release | None:
    """Return the cluster's release, None if there is none; raises `ClusterError` for one that is not ours."""
    found = helm.release(where.name)
    if found is None:
        return None
    chart = found.chart.rpartition("-")[0]
    if chart != CHART or helm.values(where.name).get("owner") != where.owner:
        made = f"of the chart {found.chart}" if chart != CHART else "of another cluster of ltops"
        raise ClusterError(
            f"there is a release {where.name} in the namespace {where.namespace} already, {made}: it is left alone. "
            "Create the cluster under another name, or with another --namespace"
        )
    return found
