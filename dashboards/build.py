"""Makes the Grafana dashboards in this folder out of `source/`: `make dashboards`.

A source is a page of YAML: rows of panels, each with a title, a unit (of Grafana's), its width in 24ths, its queries,
and perhaps a `bound` above which it is coloured. `may_be_empty` says why a panel need not have data.
"""

from __future__ import annotations

import json
import sys
from itertools import count
from pathlib import Path
from typing import Any

import yaml
from grafana_foundation_sdk.builders import common, dashboard, prometheus, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import DataSourceRef, Threshold, ThresholdsMode

HERE = Path(__file__).parent
SOURCE_UID = "prometheus"
"""The name of the data source, as the provisioning gives it."""

PANEL_HEIGHT = 8


def main(output: Path = HERE) -> None:
    """Make every dashboard."""
    for source in sorted((HERE / "source").glob("*.yaml")):
        text = json.dumps(built(yaml.safe_load(source.read_text())), indent=2, sort_keys=True)
        (output / f"{source.stem}.json").write_text(text + "\n")


def built(page: dict[str, Any]) -> Any:
    """Return a source as the JSON that Grafana reads."""
    board = (
        dashboard.Dashboard(page["title"])
        .uid(page["uid"])
        .description(page["description"])
        .tags(["mattermost", "load-test"])
        .refresh("10s")
        .time("now-30m", "now")
        .timezone("browser")
        .editable()
    )
    number = count(1)
    for row in page["rows"]:
        board.with_row(dashboard.Row(row["title"]).id(next(number)))
        for panel in row["panels"]:
            board.with_panel(_panel(panel).id(next(number)))
    return json.loads(JSONEncoder(sort_keys=True).encode(board.build()))


def _panel(panel: dict[str, Any]) -> timeseries.Panel:
    """Return one panel."""
    source = DataSourceRef(type_val="prometheus", uid=SOURCE_UID)
    made = (
        timeseries.Panel()
        .title(panel["title"])
        .description(panel.get("description", ""))
        .datasource(source)
        .unit(panel["unit"])
        .span(panel["width"])
        .height(PANEL_HEIGHT)
        .line_width(1)
        .fill_opacity(10)
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
        )
    )
    if not any(query["expr"].startswith("-") for query in panel["queries"]):
        made.min(0)
    if "bound" in panel:
        steps = [Threshold(value=None, color="green"), Threshold(value=panel["bound"], color="red")]
        made.thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        made.thresholds_style(common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED))
    for place, query in enumerate(panel["queries"]):
        made.with_target(
            prometheus.Dataquery()
            .datasource(source)
            .ref_id(chr(ord("A") + place))
            .expr(query["expr"])
            .legend_format(query["legend"])
        )
    return made


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
