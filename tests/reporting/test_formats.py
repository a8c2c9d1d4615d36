"""Reports: byte for byte those of the original where it has them, and ours beside them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from mattermost_load_test.reporting import json_report, markdown, text
from mattermost_load_test.reporting.figures import relative, shortest
from mattermost_load_test.reporting.formats import FORMATS
from mattermost_load_test.reporting.report import InstanceReport, Report, RouteReport
from mattermost_load_test.timings.reading import read_log
from mattermost_load_test.timings.stats import RouteTimings, Timings

DATA = Path(__file__).parent.parent / "data" / "ltparse"
RESULTS_PAGE = Path(__file__).parent.parent.parent / "docs" / "results.md"


def timings_of(*names: str) -> Timings:
    """Return the samples of the original's logs of these names, merged."""
    merged = Timings()
    for name in names:
        with (DATA / name).open("rb") as stream:
            for instance in read_log(stream, name).measured():
                merged.merge(instance.timings)
    return merged


def recorded(name: str) -> str:
    """Return what the original printed; in a comparison the end of the Hits rows, which it forgot, is there."""
    printed = (DATA / name).read_text()
    return re.sub(r"^(\| Hits \|(?: [^|\n]+ \|){3} [^|\n]+)$", r"\1 |", printed, flags=re.MULTILINE)


def test_the_missing_cell_end_is_all_that_is_mended_in_a_recording() -> None:
    """One ` |` is added per compared route, and nothing to reports without a baseline."""
    printed = (DATA / "comparison.markdown").read_text()
    compared = printed.count("| Delta % |")
    assert len(recorded("comparison.markdown")) == len(printed) + compared * len(" |")
    assert recorded("small-run.markdown") == (DATA / "small-run.markdown").read_text()


@pytest.mark.parametrize("verbose", [False, True])
def test_text_is_that_of_the_original(verbose: bool) -> None:
    """The text of the original's log is the original's, byte for byte."""
    report = Report.of(timings_of("small-run.log"))
    name = "small-run.verbose.text" if verbose else "small-run.text"
    assert text.render(report, verbose=verbose) == recorded(name)


@pytest.mark.parametrize("verbose", [False, True])
def test_markdown_is_that_of_the_original(verbose: bool) -> None:
    """The markdown of the original's log is the original's, byte for byte."""
    report = Report.of(timings_of("small-run.log"))
    name = "small-run.verbose.markdown" if verbose else "small-run.markdown"
    assert markdown.render(report, verbose=verbose) == recorded(name)


def test_markdown_of_merged_logs_is_that_of_the_original() -> None:
    """Merged figures are the original's, byte for byte."""
    report = Report.of(timings_of("small-run.log", "small-baseline.log"))
    assert markdown.render(report) == recorded("aggregate.markdown")


@pytest.mark.parametrize("verbose", [False, True])
def test_a_comparison_is_that_of_the_original(verbose: bool) -> None:
    """A comparison in markdown is the original's, byte for byte, but for the cell end that it forgot."""
    report = Report.of(timings_of("small-run.log"), [timings_of("small-baseline.log")])
    name = "comparison.verbose.markdown" if verbose else "comparison.markdown"
    assert markdown.render(report, verbose=verbose) == recorded(name)


def test_a_comparison_as_text_has_the_baseline_beside_each_figure() -> None:
    """The original has no comparison as text; ours says the same as its markdown."""
    shown = text.render(Report.of(timings_of("small-run.log"), [timings_of("small-baseline.log")]), verbose=True)
    assert "Total Hits: 576 (baseline 934, -358, -38.33%)\n" in shown
    assert "Error Rate: 81.44% (baseline 44.01%, +85.06%, +85.06%)\n" in shown
    assert "Min Response Time: 1ms (baseline 0ms, +1.00ms, -)\n" in shown
    assert "Route: PUT /users/hxa3wbwc4tr8xb1yzu9hidc4za (not in the baseline)\nTotal Hits: 1\n" in shown
    assert shown.endswith("\n\nScore: 17.08 (-29.03, relative to baseline)\n")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (7.0, "7"),
        (0.5, "0.5"),
        (12.346, "12.346"),
        (1e-05, "0.00001"),
        (120000.0, "120000"),
        (1e22, "1" + "0" * 22),
    ],
)
def test_numbers_have_as_many_decimals_as_they_need(value: float, shown: str) -> None:
    """No decimals are added or cut off, and no exponents shown."""
    assert shortest(value) == shown


@pytest.mark.parametrize(
    ("baseline", "actual", "shown"),
    [(0, 0, "0%"), (2, 2, "0%"), (0, 1, "-"), (2, 3, "+50.00%"), (3, 1, "-66.67%"), (1, 0, "-100.00%")],
)
def test_changes_in_percent(baseline: float, actual: float, shown: str) -> None:
    """No change is told from one that has nothing to be relative to."""
    assert relative(baseline, actual) == shown


def test_equal_runs_show_no_change() -> None:
    """A run compared with itself has no delta anywhere."""
    timings = timings_of("small-run.log")
    shown = markdown.render(Report.of(timings, [timings]), verbose=True)
    deltas = {tuple(cell.strip() for cell in row.split("|")[4:6]) for row in shown.splitlines() if row.count("|") == 6}
    assert deltas == {("0ms", "0%"), ("0", "0%"), ("0%", "0%"), ("Delta", "Delta %"), ("---", "---")}
    assert "(+0.00, relative to baseline)" in shown


@pytest.mark.parametrize("name", ["text", "markdown", "json", "csv", "junit"])
def test_every_format_shows_names_as_they_are(name: str) -> None:
    """Nothing in a route's name is taken for markup or code; XML has its own way to write it."""
    timings = Timings()
    timings.route("GET /x?<b>&{{ 1 }}").add(1.0)
    shown = FORMATS[name].render(Report.of(timings))
    if name == "junit":
        case = ElementTree.fromstring(shown).find(".//testcase")
        assert case is not None
        assert case.get("name") == "GET /x?<b>&{{ 1 }}"
    else:
        assert "GET /x?<b>&{{ 1 }}" in shown
    assert shown.endswith("\n")


def full_report() -> Report:
    """Return a report in which every part is filled."""
    login, run = RouteTimings(), timings_of("small-run.log")
    login.add(3.5)
    compared = Report.of(run, [timings_of("small-baseline.log")])
    return Report(
        routes=compared.routes,
        score=compared.score,
        baseline_score=compared.baseline_score,
        baseline_only=compared.baseline_only,
        login=(RouteReport("POST /users/login", login.statistics(), {"500": 2}),),
        instances=(InstanceReport("one", "loadtest.log", 1.5, None, 7318, 430, True),),
        settings={"LoadtestEnviromentConfig": {"NumTeams": 1}},
        warnings=("something",),
    )


def test_json_says_what_the_report_says() -> None:
    """Every part of a report is in the JSON, figures unrounded."""
    report = full_report()
    shown = json.loads(json_report.render(report))
    assert shown["format"] == 1
    assert shown["score"] == report.score
    assert len(shown["routes"]) == len(report.routes)
    first = shown["routes"][0]
    assert next(iter(first)) == "name"
    assert (first["hits"], first["p95_ms"], first["baseline"]["p95_ms"]) == (576, 3.0, 7.0)
    assert first["mean_ms"] == report.routes[0].actual.mean_ms
    assert shown["routes"][-1]["baseline"] is None
    assert shown["baseline_only_routes"] == list(report.baseline_only)
    assert len(report.baseline_only) == 4
    assert shown["login_routes"][0]["error_kinds"] == {"500": 2}
    assert shown["instances"] == [
        {
            "instance_id": "one",
            "source": "loadtest.log",
            "started_s": 1.5,
            "ended_s": None,
            "hits": 7318,
            "errors": 430,
            "shown": True,
            "saturation": None,
            "health": None,
            "origin": None,
        }
    ]
    assert shown["settings"] == {"LoadtestEnviromentConfig": {"NumTeams": 1}}
    assert shown["warnings"] == ["something"]


def schema_in_the_page() -> dict[str, Any]:
    """Return the JSON schema printed in docs/results.md."""
    blocks = re.findall(r"^```json\n(.*?)^```", RESULTS_PAGE.read_text(), flags=re.MULTILINE | re.DOTALL)
    schema: dict[str, Any] = json.loads(blocks[-1])
    return schema


def test_the_documented_schema_is_that_of_the_models() -> None:
    """The schema in docs/results.md is made from the models that make the JSON."""
    assert schema_in_the_page() == json_report.Document.model_json_schema()


@pytest.mark.parametrize("report", [full_report(), Report.of(timings_of("small-run.log"))], ids=["full", "small"])
def test_json_follows_the_documented_schema(report: Report) -> None:
    """What is printed holds exactly the keys of the documented schema, with values of its types."""
    schema = schema_in_the_page()
    assert mismatches(json.loads(json_report.render(report)), schema, schema) == []


def mismatches(value: object, rule: dict[str, Any], schema: dict[str, Any], place: str = "$") -> list[str]:
    """Return where `value` breaks `rule`, by the words of JSON schema that the models use."""
    if "$ref" in rule:
        name = str(rule["$ref"]).rsplit("/", 1)[1]
        return mismatches(value, schema["$defs"][name], schema, place)
    if "anyOf" in rule:
        tries = [mismatches(value, one, schema, place) for one in rule["anyOf"]]
        return [] if [] in tries else tries[0]
    if "const" in rule and value != rule["const"]:
        return [f"{place} is not {rule['const']}"]
    kinds = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "null": type(None),
    }
    if not isinstance(value, kinds[str(rule["type"])]):
        return [f"{place} is no {rule['type']}"]
    if isinstance(value, list):
        return [found for part in value for found in mismatches(part, rule["items"], schema, f"{place}[]")]
    if isinstance(value, dict):
        return _object_mismatches(value, rule, schema, place)
    return []


def _object_mismatches(value: dict[str, Any], rule: dict[str, Any], schema: dict[str, Any], place: str) -> list[str]:
    """Return where an object breaks its rule: keys that lack, keys too many, values."""
    known: dict[str, dict[str, Any]] = rule.get("properties", {})
    more = rule.get("additionalProperties", True)
    found = [f"{place}.{key} is missing" for key in rule.get("required", []) if key not in value]
    for key, part in value.items():
        if key in known:
            found += mismatches(part, known[key], schema, f"{place}.{key}")
        elif more is False:
            found.append(f"{place}.{key} is not described")
        elif isinstance(more, dict):
            found += mismatches(part, more, schema, f"{place}.{key}")
    return found


def test_a_document_that_breaks_the_schema_is_noticed() -> None:
    """The check itself can fail: for a missing key, a key too many and a wrong type."""
    schema = schema_in_the_page()
    document = json.loads(json_report.render(full_report()))
    del document["score"]
    document["surplus"] = 1
    document["routes"][0]["hits"] = "many"
    assert mismatches(document, schema, schema) == [
        "$.score is missing",
        "$.routes[].hits is no integer",
        "$.surplus is not described",
    ]
