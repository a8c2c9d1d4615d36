"""The files that come along and are no Python: `terraform/`, `helm/`, `dashboards/`. The one place that finds them.

In a checkout they lie at its top level, in an installed package inside it.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parents[1]
INSTALLED = PACKAGE / "shipped"
CHECKOUT = PACKAGE.parents[1]


def shipped(name: str) -> Path:
    """Return the folder `name`, for reading only."""
    return INSTALLED / name if INSTALLED.is_dir() else CHECKOUT / name
