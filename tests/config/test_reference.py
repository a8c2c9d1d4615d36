"""The page of keys is what the models say."""

from __future__ import annotations

from pathlib import Path

import pytest

from mattermost_load_test.config.reference import main, renewed

PAGE = Path(__file__).parent.parent.parent / "docs" / "configuration.md"


def test_page_is_what_the_models_say() -> None:
    """The tables in docs/configuration.md are those made from the models; the mark in the page says how."""
    text = PAGE.read_text(encoding="utf-8")
    assert renewed(text) == text


def test_page_without_marks_is_refused() -> None:
    """A page that lost its marks is not overwritten."""
    with pytest.raises(ValueError, match="lacks the mark"):
        renewed("# Configuration\n")


def test_command_renews_a_page(tmp_path: Path) -> None:
    """Called with a page, the module writes the tables into it and leaves the rest."""
    page = tmp_path / "page.md"
    whole = PAGE.read_text(encoding="utf-8")
    page.write_text(whole.replace("| `NumUsers` |", "| `NumPeople` |"), encoding="utf-8")
    main([str(page)])
    assert page.read_text(encoding="utf-8") == whole
