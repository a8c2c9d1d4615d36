"""The jinja2 templates that lie beside the roles."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def render(template: str, **values: object) -> str:
    """Return a template filled with values; it is plain text, nothing is escaped; a missing value is a defect."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # no HTML comes of these
    )
    return environment.get_template(template).render(**values)
