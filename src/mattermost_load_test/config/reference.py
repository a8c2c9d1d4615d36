"""The tables of keys in docs/configuration.md, made anew by ``python -m mattermost_load_test.config.reference``.

Called with the page's path, it renews the part of the page between two marks, so that the page never tells of other
keys, units, defaults and ranges than the models hold.
"""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from mattermost_load_test.config.keys import bounds, type_words, unit_of
from mattermost_load_test.config.models import SECTIONS
from mattermost_load_test.config.other_years import OTHER_YEARS

BEGIN = "<!-- keys: made by python -m mattermost_load_test.config.reference docs/configuration.md -->"
END = "<!-- end of keys -->"


def renewed(page: str) -> str:
    """Return a page with the tables between its marks made anew; raises `ValueError` for a page without the marks."""
    head, _, rest = page.partition(BEGIN)
    _, mark, tail = rest.partition(END)
    if not mark:
        raise ValueError(f"the page lacks the mark {BEGIN} or {END}")
    return f"{head}{BEGIN}\n\n{tables()}\n{END}{tail}"


def tables() -> str:
    """Return a table of keys for each section, and the list of the keys of other years, in Markdown."""
    parts = []
    for section, model in SECTIONS.items():
        rows = "\n".join(_row(field) for field in model.model_fields.values())
        parts.append(
            f"### {section}\n\n{inspect.getdoc(model)}\n\n"
            f"| Key | Default | Unit | Range | Meaning |\n| --- | --- | --- | --- | --- |\n{rows}\n"
        )
    return "\n".join([*parts, _other_years()])


def _row(field: FieldInfo) -> str:
    words, limits = type_words(field), bounds(field)
    values = f"{words}, {limits}" if limits else words
    return f"| `{field.alias}` | {_default(field)} | {unit_of(field)} | {values} | {field.description} |"


def _default(field: FieldInfo) -> str:
    value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    return f"`{json.dumps(value)}`"


def _other_years() -> str:
    lines = [f"- {section}: {', '.join(f'`{key}`' for key in keys)}" for section, keys in OTHER_YEARS.items() if keys]
    return "### Keys of other years\n\n" + "\n".join(lines) + "\n"


def main(arguments: list[str]) -> None:
    """Renew the page whose path is the only argument."""
    (path,) = map(Path, arguments)
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
