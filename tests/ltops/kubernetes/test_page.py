"""The page about Kubernetes shows the profiles as they are."""

from __future__ import annotations

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]


def test_the_table_of_profiles() -> None:
    """Each row of profiles.yaml, in its order, and no other."""
    rows = yaml.safe_load((ROOT / "helm" / "mattermost-load-test" / "profiles.yaml").read_text())["standard"]
    lines = [
        " | ".join(
            [
                f"| {row['users']:,}",
                *(
                    f"{row[part]['replicas']} × ({row[part]['cores']}, {row[part]['gib']})"
                    for part in ("app", "db", "proxy", "agents")
                ),
                f"{row['posts']:,} |",
            ]
        )
        for row in rows
    ]
    page = (ROOT / "docs" / "kubernetes.md").read_text().splitlines()
    begin = page.index("|---|---|---|---|---|---|") + 1
    assert page[begin : page.index("", begin)] == lines
