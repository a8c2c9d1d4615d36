"""Where what a cluster serves is reached: from outside where there is an Ingress, a LoadBalancer or a NodePort."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mattermost_load_test.ltops.providers.kubernetes.api import Api, ForbiddenError
from mattermost_load_test.ltops.providers.kubernetes.capacity import is_ready
from mattermost_load_test.ltops.providers.kubernetes.names import selector

Object = Mapping[str, Any]
HTTP = 80


@dataclass(frozen=True, slots=True)
class Outside:
    """How something is reached from outside: its URL, empty where there is none, and why it may not be reached."""

    url: str = ""
    lacking: str = ""


def inside(service: str, namespace: str, port: int = HTTP) -> str:
    """Return the URL of a service for those inside the cluster."""
    return f"http://{service}.{namespace}.svc" + ("" if port == HTTP else f":{port}")


def service_of(address: str, namespace: str) -> tuple[str, int] | None:
    """Return service and port of an address inside the cluster (``demo-proxy.demo.svc``), None for any other."""
    host, _, port = address.partition(":")
    service, dot, rest = host.partition(".")
    return (service, int(port or HTTP)) if dot and rest == f"{namespace}.svc" else None


def outside(api: Api, service: str) -> Outside:
    """Return how a service is reached from outside the cluster."""
    found = api.get(api.namespaced("services", service))
    if found is None:
        return Outside(lacking=f"there is no service {service}")
    kind, (port, *_) = found["spec"].get("type"), found["spec"]["ports"]
    if kind == "LoadBalancer":
        host = _balanced(found)
        return Outside(_url(host, port["port"])) if host else Outside(lacking=_unbalanced(found))
    if kind == "NodePort":
        host = _node_address(api)
        if not host:
            return Outside(lacking=f"it is at port {port['nodePort']} of the nodes, whose addresses you may not see")
        return Outside(_url(host, port["nodePort"]))
    return Outside(lacking="it has no address outside the cluster")


def site(api: Api, cluster: str, service: str) -> Outside:
    """Return how the site is reached from outside: by the Ingress, else by its service.

    While an Ingress has no address the service's counts, else the host that the Ingress is for.
    """
    by_service = outside(api, service)
    path = api.namespaced("ingresses", group="networking.k8s.io/v1")
    ingress = next(iter(api.items(path, labelSelector=selector(cluster))), None)
    if ingress is None:
        return by_service
    hosts = [rule["host"] for rule in ingress["spec"].get("rules", ()) if rule.get("host")]
    balanced = _balanced(ingress)
    if balanced:
        return Outside(_url(hosts[0] if hosts else balanced, HTTP))
    lacking = f"the Ingress {ingress['metadata']['name']} has no address yet: is there a controller for its class?"
    if not by_service.url:
        lacking = f"{by_service.lacking}, and {lacking}"
    return Outside(by_service.url or (_url(hosts[0], HTTP) if hosts else ""), lacking)


def pending(api: Api, cluster: str) -> Iterator[tuple[str, str]]:
    """Yield a release's services that wait for their load balancer, as Helm does, and what there is to say of each."""
    for service in api.items(api.namespaced("services"), labelSelector=selector(cluster)):
        if service["spec"].get("type") == "LoadBalancer" and not _balanced(service):
            yield service["metadata"]["name"], _unbalanced(service)


def _balanced(one: Object) -> str:
    """Return the address that a load balancer was given, empty before it has one."""
    given = one.get("status", {}).get("loadBalancer", {}).get("ingress") or [{}]
    return str(given[0].get("hostname") or given[0].get("ip") or "")


def _unbalanced(service: Object) -> str:
    return f"the LoadBalancer of the service {service['metadata']['name']} has no address yet"


def _node_address(api: Api) -> str:
    """Return the address of a node, one that is reached from outside if it has such; empty where we may see none."""
    try:
        nodes = api.items("/api/v1/nodes")
    except ForbiddenError:  # nodes belong to the whole cluster
        return ""
    for node in sorted(nodes, key=is_ready, reverse=True):
        addresses = {one["type"]: one["address"] for one in node["status"].get("addresses", ())}
        if found := addresses.get("ExternalIP") or addresses.get("InternalIP"):
            return str(found)
    return ""


def _url(host: str, port: int) -> str:
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}" + ("" if port == HTTP else f":{port}")
