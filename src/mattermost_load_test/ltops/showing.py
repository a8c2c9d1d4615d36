"""How clusters are shown by `ltops status`: as text for people, as JSON for programs."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from mattermost_load_test.counts import counted
from mattermost_load_test.logs import MASK
from mattermost_load_test.ltops.agent_figures import AgentFigures
from mattermost_load_test.ltops.cluster import ROLES, ClusterState, Price, RunRecord
from mattermost_load_test.ltops.expiry import is_due
from mattermost_load_test.ltops.health import Answer
from mattermost_load_test.ltops.inspecting import Inspection
from mattermost_load_test.ltops.providers.base import AgentState
from mattermost_load_test.ltops.watching import moment

_PASSWORD = re.compile(r"(?<=:)[^:@/]+(?=@)|(?<=password=)(?:'[^']*'|\S+)")


def masked(data_source: str) -> str:
    """Return a data source with its password masked."""
    return _PASSWORD.sub(MASK, data_source)


def as_text(found: Sequence[Inspection], *, show_secrets: bool) -> str:
    """Return clusters as paragraphs."""
    if not found:
        return "There are no clusters. Make one: ltops create -c demo --type local"
    return "\n\n".join(_paragraph(inspection, show_secrets) for inspection in found)


def _paragraph(inspection: Inspection, show_secrets: bool) -> str:
    state = inspection.state
    if state is None:
        return f"{inspection.name}  broken\n  {inspection.problem}"
    head = f"{state.name}  {state.kind}, {state.phase}, {age(state.created_at)} old"
    rows = list(_rows(inspection, state, show_secrets))
    width = max(len(name) for name, _ in rows)
    return "\n".join([head, *(f"  {name:<{width}}  {value}" for name, value in rows)])


def _rows(inspection: Inspection, state: ClusterState, show_secrets: bool) -> Iterator[tuple[str, str]]:
    yield "Site", f"{state.site_url or '–'}  {_health(inspection)}".rstrip()
    if state.expires_at is not None:
        yield "Expires", _expiry(state, state.expires_at)
    if state.price is not None:
        yield "Price", _price(state.price)
    yield from _services(state, show_secrets)
    yield "Users", _users(state)
    yield "Instances", ", ".join(f"{role} {len(state.of_role(role))}" for role in ROLES)
    for name in _in_order(inspection.faults, state):
        yield name, inspection.faults[name]
    now_s = time.time()
    yield "Last run", _run(inspection, state.run, now_s)
    for name, agent in inspection.agents.items():
        yield name, _agent(agent, inspection.figures.get(name), now_s)
    yield from _sentences(state)
    if inspection.problem:
        yield "Problem", inspection.problem


def _services(state: ClusterState, show_secrets: bool) -> Iterator[tuple[str, str]]:
    """Yield where metrics, Grafana and database are."""
    if state.metrics_url:
        yield "Metrics", state.metrics_url
    if state.grafana_url:
        password = state.grafana_password.get_secret_value() if show_secrets else MASK
        yield "Grafana", f"{state.grafana_url}  admin, password {password}"
    if source := state.data_source.get_secret_value():
        yield "Database", f"{state.driver} {source if show_secrets else masked(source)}"


def _sentences(state: ClusterState) -> Iterator[tuple[str, str]]:
    """Yield what there is to say beside all figures."""
    for name, sentences in (
        ("Lost", state.run.losses if state.run else ()),
        ("Access", state.access),
        ("Missing", state.missing),
    ):
        for sentence in sentences:
            yield name, sentence


def _in_order(faults: Mapping[str, str], state: ClusterState) -> list[str]:
    """Return what has faults: instances in their order, then what stands for itself, as pods that cannot be made."""
    instances = [instance.name for instance in state.instances]
    return sorted(faults, key=lambda name: instances.index(name) if name in instances else len(instances))


def _expiry(state: ClusterState, expires_at: datetime) -> str:
    """Return when a cluster is due, with a warning once that is past."""
    when = f"{expires_at:%Y-%m-%d %H:%M} UTC"
    return f"WARNING: it is due since {when}: ltops delete -c {state.name}" if is_due(state) else when


def _price(price: Price) -> str:
    """Return what a cluster costs."""
    when = f"{price.asked_at:%Y-%m-%d}"
    if price.per_hour is None:
        return f"not known, as asked on {when}: {price.unknown}"
    return f"about {price.per_hour:.2f} {price.currency} an hour (price list of {when}); its instances alone"


def _health(inspection: Inspection) -> str:
    if isinstance(inspection.server, Answer):
        return f"healthy (Mattermost {inspection.server.version}, {inspection.server.duration_ms:,.0f} ms)"
    if inspection.server:
        return f"NOT WELL: {inspection.server}"
    return "not asked" if inspection.problem else "not deployed"


def _users(state: ClusterState) -> str:
    wanted = "as configured" if state.users is None else f"{state.users:,}"
    loaded = state.bulk_load
    return f"{wanted}, " + (f"loaded at {loaded.loaded_at:%Y-%m-%d %H:%M} UTC" if loaded else "not loaded")


def _run(inspection: Inspection, run: RunRecord | None, now_s: float) -> str:
    if run is None:
        return "none"
    head = f"{run.scenario}, {counted(run.agents, 'agent')}, {run.launched_at:%Y-%m-%d %H:%M} UTC, "
    head += f"{run.length_s / 60:g} min: "
    if inspection.run_ended:
        return head + f"ended, results not fetched: ltops loadtest -c {inspection.name} --attach"
    if run.finished_at is None:
        return head + f"under way, {moment(inspection.elapsed_s(now_s), run.length_s)}"
    codes = {code for code in run.exit_codes if code != 0}
    good = "samples were lost" if run.losses else "good"
    verdict = good if not codes else "failed, exit codes " + ", ".join(map(str, run.exit_codes))
    return head + verdict + ("" if run.score is None else f", score {run.score:.2f}")


def _agent(agent: AgentState, figures: AgentFigures | str | None, now_s: float) -> str:
    """Return how an agent is, and how far."""
    code = "" if agent.exit_code is None else f" with exit code {agent.exit_code}"
    does = _figures(figures, now_s) if isinstance(figures, AgentFigures) else figures
    more = "; ".join(filter(None, (agent.reason or does, *agent.losses)))
    return f"{agent.phase}{code}" + (f": {more}" if more else "")


def _figures(figures: AgentFigures, now_s: float) -> str:
    """Return what an agent does."""
    rate = figures.requests_per_s(now_s)
    if rate is None:
        return "its entities do not act yet"
    mean = "" if figures.mean_ms is None else f", mean {figures.mean_ms:,.0f} ms"
    return (
        f"{figures.entities:,} entities, {figures.requests:,} requests ({rate:,.1f}/s), {figures.errors:,} errors{mean}"
    )


def age(since: datetime) -> str:
    """Return how long ago something was, in its largest unit."""
    seconds = (datetime.now(UTC) - since).total_seconds()
    for unit, length_s in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length_s:
            return f"{seconds // length_s:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"


def as_json(found: Sequence[Inspection], *, show_secrets: bool) -> str:
    """Return clusters as a JSON list."""
    return json.dumps([_object(inspection, show_secrets) for inspection in found], indent=2)


def _object(inspection: Inspection, show_secrets: bool) -> dict[str, Any]:
    state = inspection.state
    if state is None:
        return {"name": inspection.name, "problem": inspection.problem}
    fields = state.model_dump(mode="json", exclude={"version", "details", "options"})
    source = state.data_source.get_secret_value()
    fields["data_source"] = source if show_secrets else masked(source)
    if state.grafana_url and not show_secrets:
        fields["grafana_password"] = MASK
    server = inspection.server
    fields["server"] = (
        {"version": server.version, "duration_ms": round(server.duration_ms, 1)}
        if isinstance(server, Answer)
        else {"problem": server}
    )
    fields["faults"] = dict(inspection.faults)
    fields["agents"] = {
        name: asdict(agent) | {"figures": _figures_object(inspection.figures.get(name))}
        for name, agent in inspection.agents.items()
    }
    fields["due"] = is_due(state)
    fields["run_ended"] = inspection.run_ended
    fields["problem"] = inspection.problem
    fields["well"] = inspection.well
    return fields


def _figures_object(figures: AgentFigures | str | None) -> dict[str, Any] | None:
    """Return an agent's figures, null where it has none, or why it does not tell them."""
    if isinstance(figures, AgentFigures):
        return asdict(figures) | {"requests_per_s": figures.requests_per_s(time.time())}
    return None if figures is None else {"problem": figures}
