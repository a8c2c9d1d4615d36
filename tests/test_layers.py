"""The layers of docs/architecture.md, held by walking every import of the package."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import mattermost_load_test

PACKAGE = Path(mattermost_load_test.__file__).parent
NAME = PACKAGE.name

SIBLINGS = {"loadtest", "ltops", "ltparse", "embedded"}
LEVELS = {
    "counts": 0,
    "errors": 0,
    "logs": 0,
    "sampling": 0,
    "config": 1,
    "gates": 1,
    "mattermost": 1,
    "timings": 1,
    "reporting": 2,
    **dict.fromkeys(SIBLINGS, 3),
    "cli_support": 3,  # shared by the cli rooms, so it may import click
    "demo": 3,
}


def modules() -> list[Path]:
    """Return every module of the package but its root, which holds the version only."""
    return sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def dotted(path: Path) -> list[str]:
    """Return the parts of a module's name below the package, a package's own file counting as the package."""
    parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
    return parts[:-1] if parts[-1] == "__init__" else parts


def imports_of(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield line and parts of every module of other packages, and of every part of this one, that `path` imports."""
    package_parts = dotted(path) if path.name == "__init__.py" else dotted(path)[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name.split(".")
        elif isinstance(node, ast.ImportFrom):
            base = (node.module or "").split(".") if node.module else []
            if node.level:
                base = [NAME, *package_parts[: len(package_parts) - node.level + 1], *base]
            yield node.lineno, base
            if base == [NAME]:
                for alias in node.names:
                    yield node.lineno, [*base, alias.name]


def is_cli(parts: list[str]) -> bool:
    """Say whether a module is a cli room."""
    return "cli" in parts


def complaint(parts: list[str], imported: list[str]) -> str | None:
    """Return why a module at `parts` may not import `imported`, or nothing if it may."""
    if imported[0] == "click" and not is_cli(parts) and parts[0] != "cli_support":
        return "only cli rooms import click"
    if imported[0] != NAME or len(imported) < 2 or imported[1] not in LEVELS:
        return None
    here, there = parts[0], imported[1]
    if LEVELS[there] > LEVELS[here]:
        return f"{here} is below {there}"
    if {here, there} <= SIBLINGS and here != there and not is_cli(parts):
        return f"{here} and {there} are siblings: only a cli room may join them"
    if is_cli(imported[1:]) and not is_cli(parts):
        return "a cli room is imported by nobody but cli rooms"
    return None


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down_only(path: Path) -> None:
    """No module imports a layer above its own, a sibling, or click outside a cli room."""
    parts = dotted(path)
    assert parts[0] in LEVELS, f"{path} is in no layer of docs/architecture.md"
    found = [
        f"{path.relative_to(PACKAGE)}:{line} {why}" for line, to in imports_of(path) if (why := complaint(parts, to))
    ]
    assert not found, "\n".join(found)


def test_a_forbidden_import_is_noticed() -> None:
    """The check itself can fail: each rule refuses an example."""
    assert complaint(["timings", "stats"], [NAME, "reporting"])
    assert complaint(["loadtest", "run"], [NAME, "ltparse", "compare"])
    assert complaint(["loadtest", "run"], ["click"])
    assert complaint(["embedded", "app"], [NAME, "embedded", "cli"])
    assert complaint(["loadtest", "cli", "server"], [NAME, "embedded", "server"]) is None
