"""Reading gates: ``p95 > 500ms``, ``route:"POST /posts" p99 > 1s``, ``p95 significantly worse``.

The grammar lies beside this module. What cannot be read is refused with its place and what was expected there.
"""

from __future__ import annotations

import difflib
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from mattermost_load_test.errors import GateSyntaxError

from .figures import FIGURES, Figure, Quantity

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_EXPECTED = {
    "NAME": "a figure",
    "OPERATOR": "one of > >= < <=",
    "NUMBER": "a number",
    "UNIT": "a unit",
    "SIGN": "+ or -",
    "STRING": 'a route in quotes, such as "POST /posts"',
    "ROUTE": "route:",
    "COLON": "a colon",
    "SATURATED": "saturated",
    "SIGNIFICANTLY": "significantly worse",
    "WORSE": "worse",
    "BASELINE": "baseline",
    "OF": "of intended",
    "INTENDED": "intended",
    "$END": "the end",
}


@dataclass(frozen=True, slots=True)
class Limit:
    """Holds when a figure is on the wrong side of `value`, in the figure's own unit (ms, share, per second)."""

    figure: str
    comparison: str
    value: float


@dataclass(frozen=True, slots=True)
class Relative:
    """Holds when a figure is on the wrong side of the baseline's, times `factor`, plus `offset` in its own unit."""

    figure: str
    comparison: str
    factor: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Significant:
    """Holds when the comparison with the baseline calls a figure worse."""

    figure: str


@dataclass(frozen=True, slots=True)
class Intended:
    """Holds when the share of intended actions that were achieved is on the wrong side of `share`."""

    comparison: str
    share: float


@dataclass(frozen=True, slots=True)
class Saturated:
    """Holds when an agent could not keep up."""


Condition = Limit | Relative | Significant | Intended | Saturated


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition that fails a run when it holds, for one `route` or, where that is None, all requests together.

    `text` is the gate as it was written.
    """

    text: str
    route: str | None
    condition: Condition

    @property
    def needs_baseline(self) -> bool:
        """Whether it can be decided only beside a baseline."""
        return isinstance(self.condition, Relative | Significant)


def parse(text: str, source: str, line: int = 1) -> Gate:
    """Return the gate that `text` holds; `source` and `line` say where it stands. Raises `GateSyntaxError`."""
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise GateSyntaxError(_place(text, source, line, _column(error, text)) + _complaint(error)) from error
    try:
        return _gate(text, tree)
    except _Misused as misused:
        raise GateSyntaxError(_place(text, source, line, misused.column) + str(misused)) from misused


def parse_file(text: str, source: str) -> list[Gate]:
    """Return the gates of a file: one a line, blank lines and comments behind ``#`` passed by.

    Raises `GateSyntaxError`, also where there is none at all.
    """
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.partition("#")[0].strip()]
    if not lines:
        raise GateSyntaxError(f"{source}: there is no gate in this file; write one a line, such as: p95 > 500ms")
    return [parse(line, source, number) for number, line in lines]


class _Misused(Exception):
    """Words in a good order that make no sense together; `column` is where, from 1."""

    def __init__(self, token: Token, complaint: str) -> None:
        super().__init__(complaint)
        self.column = token.column or 1


@cache
def _parser() -> Lark:
    """Return the parser, made once."""
    return Lark((Path(__file__).parent / "gate.lark").read_text(), start="gate", parser="lalr", maybe_placeholders=True)


def _gate(text: str, tree: Tree[Token]) -> Gate:
    """Return the gate that a parsed line means."""
    route, condition = tree.children
    name = str(route.children[0])[1:-1] if isinstance(route, Tree) else None
    assert isinstance(condition, Tree)  # the grammar says so
    parts: list[Any] = condition.children
    made = _CONDITIONS[condition.data](*parts)
    if name is not None and (isinstance(made, Saturated | Intended) or FIGURES[made.figure].of_run):
        raise _Misused(_first(route), "the run as a whole has this figure, a route has not; leave the route away")
    return Gate(text.partition("#")[0].strip() if '"' not in text else text.strip(), name, made)


def _first(tree: Any) -> Token:
    """Return the first word of a part."""
    found: Token = next(iter(tree.scan_values(lambda part: isinstance(part, Token))))
    return found


def _limit(name: Token, comparison: Token, number: Token, unit: Token | None) -> Limit:
    figure = _figure(name)
    return Limit(str(name), str(comparison), float(number) * _factor(figure, number, unit))


def _intended(name: Token, comparison: Token, number: Token, unit: Token) -> Intended:
    if name != "throughput":
        raise _Misused(name, "only throughput can be compared with what was intended")
    if unit != "%":
        raise _Misused(unit, "expected a share of what was intended, such as: throughput < 90% of intended")
    return Intended(str(comparison), float(number) / 100)


def _significant(name: Token) -> Significant:
    if not _figure(name).compared:
        tested = ", ".join(known for known, figure in FIGURES.items() if figure.compared)
        raise _Misused(name, f"{name} is not tested for significance; those that are: {tested}")
    return Significant(str(name))


def _relative(name: Token, comparison: Token, change: Tree[Token] | None) -> Relative:
    figure = _figure(name)
    if change is None:
        return Relative(str(name), str(comparison))
    sign, number, unit = change.children
    assert isinstance(number, Token)  # the grammar says so
    value = float(number) * (-1 if sign == "-" else 1)
    if unit == "%":
        return Relative(str(name), str(comparison), factor=1 + value / 100)
    if unit == "pp" and figure.quantity is Quantity.SHARE:
        return Relative(str(name), str(comparison), offset=value / 100)
    assert unit is None or isinstance(unit, Token)  # the grammar says so
    if figure.quantity is Quantity.SHARE:
        raise _Misused(unit or number, "expected % of the baseline's rate, or pp for percentage points")
    return Relative(str(name), str(comparison), offset=value * _factor(figure, number, unit))


_CONDITIONS: Mapping[str, Callable[..., Condition]] = {
    "saturated": Saturated,
    "significant": _significant,
    "limit": _limit,
    "intended": _intended,
    "relative": _relative,
}


def _figure(name: Token) -> Figure:
    """Return the figure of that name, or refuse it with those that exist."""
    if name in FIGURES:
        return FIGURES[name]
    close = difflib.get_close_matches(name, [*FIGURES, "saturated"], 1)
    meant = f" (did you mean {close[0]}?)" if close else ""
    raise _Misused(name, f"there is no figure {name}{meant}; there are: {', '.join(FIGURES)}")


def _factor(figure: Figure, number: Token, unit: Token | None) -> float:
    """Return what makes the figure's own unit of `unit`, or refuse that."""
    units = figure.quantity.units
    name = "" if unit is None else str(unit)
    if name in units:
        return units[name]
    if "" in units:
        raise _Misused(unit or number, "expected a number without a unit")
    examples = " or ".join(f"{number}{known}" for known in units)
    raise _Misused(unit or number, f"expected a number with its unit: {examples}")


def _column(error: UnexpectedInput, text: str) -> int:
    """Return where reading stopped, counted from 1."""
    at_end = isinstance(error, UnexpectedEOF) or (isinstance(error, UnexpectedToken) and error.token.type == "$END")
    return len(text.rstrip()) + 1 if at_end else max(1, error.column)


def _complaint(error: UnexpectedInput) -> str:
    """Return what was expected, and what stood there."""
    names: set[str] = set()
    found = "the end"
    if isinstance(error, UnexpectedCharacters):
        names, found = set(error.allowed or ()), repr(error.char)
    elif isinstance(error, UnexpectedToken):
        names, found = set(error.accepts or error.expected), repr(str(error.token)) if error.token else "the end"
    return f"expected {_either(sorted(_words(names)))}, found {found}"


def _words(names: set[str]) -> Iterator[str]:
    """Yield what people call the words of the grammar."""
    for name in names - {"WS", "COMMENT"}:
        yield _EXPECTED.get(name, name.lower())


def _either(words: list[str]) -> str:
    """Return words as alternatives."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _place(text: str, source: str, line: int, column: int) -> str:
    """Return where something is, with the line itself and a mark below it."""
    return f"{source}:{line}:{column}:\n  {text.rstrip()}\n  {' ' * (column - 1)}^\n"
