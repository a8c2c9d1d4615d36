"""Where what a cluster serves is reached: from outside where there is an Ingress, a LoadBalancer or a NodePort."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mattermost_load_test.ltops.providers.kubernetes.api import Api, ForbiddenError
from mattermost_load_test.ltops.providers.kubernetes.names import selector

Object = Mapping[str, Any]
HTTP = 80


def inside(service: str, namespace: str, port: int = HTTP) -> str:
    """Return the URL of a service for those inside the cluster."""
    return f"http://{service}.{namespace}.svc" + ("" if port == HTTP else f":{port}")


def service_of(address: str, namespace: str) -> tuple[str, int] | None:
    """Return service and port of an address inside the cluster (``demo-proxy.demo.svc``), None for any other."""
    host, _, port = address.partition(":")
    service, dot, rest = host.partition(".")
    return (service, int(port or HTTP)) if dot and rest == f"{namespace}.svc" else None


def outside(api: Api, service: str) -> str:
    """Return the URL of a service for those outside the cluster, empty where there is none."""
    found = api.get(api.namespaced("services", service))
    if found is None:
        return ""
    kind, (port, *_) = found["spec"].get("type"), found["spec"]["ports"]
    if kind == "LoadBalancer":
        host = _balanced(found)
        return _url(host, port["port"]) if host else ""
    if kind == "NodePort":
        host = _node_address(api)
        return _url(host, port["nodePort"]) if host else ""
    return ""


def site(api: Api, cluster: str) -> str:
    """Return the URL of the site for those outside: that of the Ingress, else of the proxy's service."""
    path = api.namespaced("ingresses", group="networking.k8s.io/v1")
    for ingress in api.items(path, labelSelector=selector(cluster)):
        hosts = [rule["host"] for rule in ingress["spec"].get("rules", ()) if rule.get("host")]
        host = hosts[0] if hosts else _balanced(ingress)
        if host:
            return _url(host, HTTP)
    return outside(api, f"{cluster}-proxy") or outside(api, f"{cluster}-app")


def _balanced(one: Object) -> str:
    """Return the address that a load balancer was given, empty before it has one."""
    given = one.get("status", {}).get("loadBalancer", {}).get("ingress") or [{}]
    return str(given[0].get("hostname") or given[0].get("ip") or "")


def _node_address(api: Api) -> str:
    """Return the address of a node, one that is reached from outside if it has such; empty where we may see none."""
    try:
        nodes = api.items("/api/v1/nodes")
    except ForbiddenError:  # nodes belong to the whole cluster
        return ""
    for node in nodes:
        addresses = {one["type"]: one["address"] for one in node["status"].get("addresses", ())}
        if found := addresses.get("ExternalIP") or addresses.get("InternalIP"):
            return str(found)
    return ""


def _url(host: str, port: int) -> str:
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}" + ("" if port == HTTP else f":{port}")
