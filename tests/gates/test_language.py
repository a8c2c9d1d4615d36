"""Reading gates: every form of the grammar, and what is said of what cannot be read."""

from __future__ import annotations

import pytest

from mattermost_load_test.errors import GateSyntaxError
from mattermost_load_test.gates import Gate, parse, parse_file
from mattermost_load_test.gates.language import Condition, Intended, Limit, Relative, Saturated, Significant


@pytest.mark.parametrize(
    ("text", "route", "condition"),
    [
        ("p95 > 500ms", None, Limit("p95", ">", 500.0)),
        ("p95>=0.5s", None, Limit("p95", ">=", 500.0)),
        ("  error_rate > 1% ", None, Limit("error_rate", ">", 0.01)),
        ('route:"POST /posts" p99 > 1s', "POST /posts", Limit("p99", ">", 1000.0)),
        ('route: "GET /a#b" mean < 3 ms', "GET /a#b", Limit("mean", "<", 3.0)),
        ("hits < 1000", None, Limit("hits", "<", 1000.0)),
        ("throughput <= 20/s", None, Limit("throughput", "<=", 20.0)),
        ("score > 250.5", None, Limit("score", ">", 250.5)),
        ("p95 > baseline", None, Relative("p95", ">")),
        ("p95 > baseline+10%", None, Relative("p95", ">", factor=1.1)),
        ("p95 > baseline + 20ms  # a little", None, Relative("p95", ">", offset=20.0)),
        ("throughput < baseline - 5%", None, Relative("throughput", "<", factor=0.95)),
        ("error_rate > baseline+0.5pp", None, Relative("error_rate", ">", offset=0.005)),
        ("p95 significantly worse", None, Significant("p95")),
        ('route:"GET /x" error_rate significantly worse', "GET /x", Significant("error_rate")),
        ("throughput < 90% of intended", None, Intended("<", 0.9)),
        ("saturated", None, Saturated()),
    ],
)
def test_every_form_is_read(text: str, route: str | None, condition: Condition) -> None:
    """Each form of docs/results.md means what it says there; white space is free."""
    gate = parse(text, "--fail-on")
    assert (gate.route, gate.condition) == (route, condition)


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("p95 > 500", 7, ["expected a number with its unit: 500ms or 500s"]),
        ("p95 > 5%", 8, ["expected a number with its unit: 5ms or 5s"]),
        ("error_rate > 1", 14, ["expected a number with its unit: 1%"]),
        ("hits > 3ms", 9, ["expected a number without a unit"]),
        ("throughput < 90%", 16, ["expected a number with its unit: 90/s"]),
        ("p95 > 5 minutes", 9, ["expected a unit or the end, found 'minutes'"]),
        ("p95", 4, ["one of > >= < <=", "significantly worse", "found the end"]),
        ("p95 >", 6, ["expected a number or baseline, found the end"]),
        ("p95 == 3ms", 5, ["one of > >= < <=", "found '='"]),
        ("> 3ms", 1, ["expected a figure, route: or saturated, found '>'"]),
        ("", 1, ["expected a figure, route: or saturated, found the end"]),
        ("p59 > 500ms", 1, ["there is no figure p59 (did you mean p99?)", "error_rate"]),
        ("latency > 500ms", 1, ["there is no figure latency", "there are: median, p50"]),
        ("saturatd", 9, ["found the end"]),
        ("route:POST p95 > 1s", 7, ['expected a route in quotes, such as "POST /posts"']),
        ('route:"POST /posts p95 > 1s', 7, ["expected a route in quotes"]),
        ('route:"x" saturated', 7, ["the run as a whole has this figure"]),
        ('route:"x" score > 3', 7, ["the run as a whole has this figure"]),
        ("p90 significantly worse", 1, ["p90 is not tested for significance", "median, p50, p95, p99, error_rate"]),
        ("p95 significantly", 18, ["expected worse, found the end"]),
        ("p95 worse", 5, ["significantly worse, found 'worse'"]),
        ("p95 < 90% of intended", 1, ["only throughput can be compared with what was intended"]),
        ("throughput < 90/s of intended", 16, ["expected a share of what was intended"]),
        ("p95 > baseline+3", 16, ["expected a number with its unit: 3ms or 3s"]),
        ("p95 > baseline 10%", 16, ["expected + or - or the end"]),
        ("error_rate > baseline+1ms", 24, ["expected % of the baseline's rate, or pp for percentage points"]),
        ("p95 > 500ms and p99 > 1s", 13, ["or the end, found 'and'"]),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, column: int, words: list[str]) -> None:
    """The message has line and column, the gate itself with a mark under the place, and what was expected there."""
    with pytest.raises(GateSyntaxError) as refused:
        parse(text, "gates.txt", 7)
    message = str(refused.value)
    assert message.startswith(f"gates.txt:7:{column}:\n  {text}\n  {' ' * (column - 1)}^\n"), message
    for word in words:
        assert word in message
    assert refused.value.exit_code == 2


def test_a_file_holds_a_gate_a_line() -> None:
    """Blank lines and comments are passed by; the text of a gate is kept without its comment."""
    gates = parse_file('# ours\n\np95 > 500ms  # fast\n  saturated\nroute:"A" p95 > 1s\n', "gates.txt")
    assert [gate.text for gate in gates] == ["p95 > 500ms", "saturated", 'route:"A" p95 > 1s']
    assert gates[0] == Gate("p95 > 500ms", None, Limit("p95", ">", 500.0))


def test_a_file_tells_the_line_of_what_it_cannot_read() -> None:
    """An unknown name in a file is refused with the file's line."""
    with pytest.raises(GateSyntaxError, match=r"gates\.txt:3:1:\n  p59 > 1s\n"):
        parse_file("# ours\np95 > 500ms\np59 > 1s\n", "gates.txt")


def test_a_file_without_a_gate_is_refused() -> None:
    """A file that would let everything pass is no file of gates."""
    with pytest.raises(GateSyntaxError, match=r"gates\.txt: there is no gate in this file"):
        parse_file("# later\n\n", "gates.txt")


def test_gates_know_whether_they_need_a_baseline() -> None:
    """Comparisons cannot be decided alone."""
    texts = ("p95 > 1s", "p95 > baseline", "median significantly worse", "saturated")
    assert [parse(text, "x").needs_baseline for text in texts] == [False, True, True, False]
