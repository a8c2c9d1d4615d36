"""Results as one page of HTML that needs nothing else: charts, tables, settings, readable by everybody everywhere.

Plain SVG and a little script of its own: no network, no library, less than two megabytes whatever the log's size. What
people see stands in `page.html.j2`, `style.css` and `script.js`.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mattermost_load_test import __version__
from mattermost_load_test.reporting.report import Report
from mattermost_load_test.reporting.verdict import headline

from . import page, timeline
from .charts import HEIGHT, WIDTH

_FOLDER = Path(__file__).parent


def render(report: Report, *, verbose: bool = False) -> str:
    """Return `report` as a page; it always holds everything, so `verbose` changes nothing."""
    assert report.pictures is not None  # `formats.Format.pictures` asks for them
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
    )
    rows, distributions = page.route_rows(report), page.distributions(report)
    return environment.get_template("page.html.j2").render(
        report=report,
        version=__version__,
        headline=headline(report),
        when=page.when(report),
        cards=page.cards(report),
        timeline=timeline.charts(report.pictures),
        columns=page.COLUMNS,
        rows=rows,
        rows_left_out=page.left_out(rows, len(report.routes) + len(report.baseline_only), "routes"),
        distributions=distributions,
        distributions_left_out=page.left_out(
            distributions, sum(route.actual.samples > 0 for route in report.routes), "distributions"
        ),
        errors=page.error_rows(report),
        instances=page.instance_rows(report),
        settings=page.setting_rows(report.settings, report.baseline_settings),
        shortened=page.shortened,
        plane=(WIDTH, HEIGHT),
        style=_inlined("style.css"),
        script=_inlined("script.js"),
    )


def _inlined(name: str) -> Markup:
    """Return a file of this folder, to stand in the page as it is."""
    return Markup((_FOLDER / name).read_text())  # our own file, no input
