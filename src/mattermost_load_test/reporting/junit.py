"""Results as JUnit XML, for CI systems: a test case for each route, gates as failures."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from mattermost_load_test.gates import GateResult

from .figures import rows
from .report import Report, RouteReport
from .verdict import change_of, headline


def render(report: Report, *, verbose: bool = False) -> str:
    """Return `report` as JUnit XML.

    A gate on a route that was measured fails that route's case; any other gate is a case of its own, in a suite that
    comes first. The time of a case is the route's mean, in seconds.
    """
    root = Element("testsuites", name=f"loadtest: {headline(report).text}")
    names = {route.name for route in report.routes}
    apart = [result for result in report.gates if result.gate.route not in names]
    if apart:
        _suite(root, "gates", [_gate_case(result) for result in apart])
    cases = [_route_case(route, report, verbose) for route in report.routes]
    if cases:
        _suite(root, "routes", sorted(cases, key=lambda case: case.find("failure") is None))
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(root: Element, name: str, cases: Sequence[Element]) -> None:
    """Add a suite of cases with their counts."""
    failures = sum(case.find("failure") is not None for case in cases)
    suite = SubElement(root, "testsuite", name=name, tests=str(len(cases)), failures=str(failures), errors="0")
    suite.extend(cases)


def _gate_case(result: GateResult) -> Element:
    """Return the case of a gate on the run as a whole, or on a route that was not measured."""
    case = Element("testcase", classname="loadtest.gates", name=_legal(result.gate.text), time="0")
    _fail(case, [result])
    if result.passed:
        SubElement(case, "system-out").text = _legal(result.reason)
    return case


def _route_case(route: RouteReport, report: Report, verbose: bool) -> Element:
    """Return the case of a route, with its figures as output."""
    seconds = f"{route.actual.mean_ms / 1000:.6f}"
    case = Element("testcase", classname="loadtest.routes", name=_legal(route.name), time=seconds)
    _fail(case, [result for result in report.gates if result.gate.route == route.name])
    compared = report.comparison.routes.get(route.name) if report.comparison is not None else None
    lines = [f"Verdict: {compared.verdict}"] if compared is not None else []
    for row in rows(route, verbose, compared):
        before = f" (baseline {row.baseline}, {row.delta})" if route.baseline is not None else ""
        lines.append(f"{row.name}: {row.actual}{before} {change_of(compared, row.figure)}".rstrip())
    SubElement(case, "system-out").text = _legal("\n".join(lines))
    return case


def _fail(case: Element, results: Sequence[GateResult]) -> None:
    """Add a failure for the gates that did not pass: one, because readers take no more."""
    failed = [result for result in results if not result.passed]
    if failed:
        text = _legal("\n".join(map(str, failed)))
        SubElement(case, "failure", message=text.partition("\n")[0], type="gate").text = text


def _legal(text: str) -> str:
    """Return `text` without the characters that XML cannot hold."""
    return "".join(character for character in text if character.isprintable() or character in "\n\t")
