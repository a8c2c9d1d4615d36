"""`--display html` in a real browser: it opens alone, says what the JSON says, and everybody can use it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from .browser import chromium, opened
from .runs import BASELINE, RUN, Load, run, write_run

pytestmark = pytest.mark.xdist_group("html")

MOST_BYTES = 2_000_000
ROUTES = {
    "GET /users/me": Load(800),
    "POST /posts": Load(600, 60.0, 0.03),
    "GET /channels/[channel id]/posts": Load(600, 30.0),
    "GET /rare": Load(5),
    "GET /teams/<b>&": Load(50, 5.0),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give one browser for all tests of this file."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a log and its baseline, in which one route was faster, one lacks and one is more."""
    folder = tmp_path_factory.mktemp("logs")
    new = write_run(folder / "new.log", ROUTES, instance="new", settings={"A": {"B": 2, "C": [1]}})
    old_routes = {name: load for name, load in ROUTES.items() if name != "GET /teams/<b>&"}
    old_routes |= {"GET /users/me": Load(800, 25.0), "GET /gone": Load(40)}
    old = write_run(folder / "old.log", old_routes, instance="old", seed=9, settings={"A": {"B": 1, "C": [1]}})
    return new, old


@pytest.fixture(scope="module")
def page_file(logs: tuple[Path, Path]) -> Path:
    """Return the page of a run alone."""
    return made(logs[0])


@pytest.fixture(scope="module")
def compared_file(logs: tuple[Path, Path]) -> Path:
    """Return the page of a run compared with a baseline, with gates of every outcome."""
    gates = ("p95 > 1ms", "p95 > 10s", 'route:"GET /rare" p95 > 1s', "saturated", "median significantly worse")
    return made(logs[0], "-b", logs[1], *(part for gate in gates for part in ("--fail-on", gate)), code=99)


def made(log: Path, *arguments: str | Path, code: int = 0) -> Path:
    """Write a page and return its path."""
    path = log.with_name(f"{log.stem}-{len(arguments)}.html")
    result = run("results", "-f", log, *arguments, "-o", path)
    assert result.exit_code == code, result.stderr
    return path


def document(*arguments: str | Path) -> Any:
    """Return the JSON of results."""
    return json.loads(run("results", *arguments, "-d", "json").stdout)


def column(page: Page, index: int) -> list[str]:
    """Return what stands in a column of the table of routes, of the rows that are seen."""
    rows = page.locator("#route-table tbody tr:visible")
    return [row.locator("th, td").nth(index).inner_text().splitlines()[0] for row in rows.all()]


def test_it_opens_from_a_file_and_asks_for_nothing(browser: Browser, page_file: Path, compared_file: Path) -> None:
    """No message on the console, no error, no request, alone and compared."""
    for path in (page_file, compared_file):
        with opened(browser, path) as (page, heard):
            page.mouse.move(600, 500)
            page.get_by_text("Numbers of Response times").first.click(force=True)
            assert heard == []
            assert page.title().endswith("load test of 2026-11-18 11:06:50Z")


def test_its_figures_are_those_of_the_json(browser: Browser, logs: tuple[Path, Path], compared_file: Path) -> None:
    """Every cell of the table has the JSON's figure, to the last digit."""
    expected = document("-f", logs[0], "-b", logs[1])
    with opened(browser, compared_file) as (page, _):
        rows = page.eval_on_selector_all(
            "#route-table tbody tr",
            "rows => rows.map(row => [...row.cells].map(cell => cell.dataset.value ?? cell.textContent.trim()))",
        )
        cards = dict(
            page.eval_on_selector_all(
                ".cards div", "all => all.map(c => [c.children[0].textContent, c.children[1].firstChild.textContent])"
            )
        )
    figures = ("hits", "error_rate", "mean_ms", "median_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms")
    shown = {row[0]: row[1:] for row in rows}
    assert shown.keys() == {route["name"] for route in expected["routes"]} | set(expected["baseline_only_routes"])
    for route in expected["routes"]:
        verdict, *values = shown[route["name"]]
        assert verdict == route["verdict"]
        assert [float(value) for value in values] == [route[figure] for figure in figures]
    assert shown["GET /gone"][0] == "vanished"
    assert cards["Score"] == f"{expected['score']:,.2f}"
    assert cards["Requests"] == f"{sum(route['hits'] for route in expected['routes']):,}"


def test_the_table_sorts_by_click_and_by_key(browser: Browser, page_file: Path) -> None:
    """Numbers by size, the largest first at the first click; names by alphabet; told to screen readers."""
    with opened(browser, page_file) as (page, _):
        assert column(page, 0) == sorted(column(page, 0))
        page.get_by_role("button", name="Hits").click()
        assert column(page, 1) == ["800", "600", "600", "50", "5"]
        head = page.locator("#route-table th", has_text="Hits")
        assert head.get_attribute("aria-sort") == "descending"
        page.get_by_role("button", name="Hits").press("Enter")
        assert column(page, 1) == ["5", "50", "600", "600", "800"]
        assert head.get_attribute("aria-sort") == "ascending"
        page.get_by_role("button", name="Route").focus()
        page.keyboard.press("Space")
        assert column(page, 0) == sorted(column(page, 0))
        assert head.get_attribute("aria-sort") is None


def test_vanished_routes_stay_last_whatever_is_sorted(browser: Browser, compared_file: Path) -> None:
    """A route without figures is neither the largest nor the smallest."""
    with opened(browser, compared_file) as (page, _):
        for _ in range(2):
            page.get_by_role("button", name="p95").click()
            assert column(page, 0)[-1] == "GET /gone"


def test_the_table_filters_as_one_types(browser: Browser, compared_file: Path) -> None:
    """By parts of the name or by verdict; the number found is said."""
    with opened(browser, compared_file) as (page, _):
        field = page.get_by_label("Filter by name or verdict")
        field.fill("get posts")
        assert column(page, 0) == ["GET /channels/[channel id]/posts"]
        assert page.get_by_role("status").inner_text() == "1 of 6 routes"
        field.fill("slower")
        assert column(page, 0) == ["GET /users/me"]
        field.fill("nothing like it")
        assert column(page, 0) == []
        field.fill("")
        assert len(column(page, 0)) == 6


@pytest.mark.parametrize(("scheme", "other"), [("light", "dark"), ("dark", "light")])
def test_themes(browser: Browser, page_file: Path, scheme: Any, other: str) -> None:
    """The system's is taken; a button switches to the other and back."""
    back = "getComputedStyle(document.body).backgroundColor"
    with opened(browser, page_file, color_scheme=scheme) as (page, _):
        first = page.evaluate(back)
        assert (sum(map(int, re.findall(r"\d+", first))) > 380) is (scheme == "light")
        page.get_by_role("button", name=f"Switch to the {other} theme").click()
        assert page.evaluate(back) != first
        page.get_by_role("button", name=f"Switch to the {scheme} theme").click()
        assert page.evaluate(back) == first


@pytest.mark.slow
@pytest.mark.parametrize("compared", [False, True], ids=["alone", "compared"])
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing(
    browser: Browser, page_file: Path, compared_file: Path, scheme: Any, width: int, compared: bool
) -> None:
    """No rule of axe-core is broken, all details open, wide and narrow, light and dark."""
    path = compared_file if compared else page_file
    with opened(browser, path, color_scheme=scheme, viewport={"width": width, "height": 900}) as (page, _):
        page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_axe_can_find_something(browser: Browser, tmp_path: Path) -> None:
    """The check itself can fail."""
    bad = tmp_path / "bad.html"
    bad.write_text("<html><body><img src=x><input></body></html>")
    with opened(browser, bad) as (page, _):
        assert Axe().run(page).violations_count > 0


def test_every_chart_has_its_numbers_as_a_table(browser: Browser, compared_file: Path) -> None:
    """What is drawn can be read: a sentence for each chart, and its numbers, the baseline's beside."""
    with opened(browser, compared_file) as (page, _):
        charts = page.locator(".chart").all()
        assert len(charts) == 3 + 5
        for chart in charts:
            assert len(chart.get_by_role("img").get_attribute("aria-label") or "") > 40
            chart.locator("summary").click()
            heads = chart.locator("table thead th").all_inner_texts()
            assert chart.locator("table tbody tr").count() > 0
            assert ("baseline" in " ".join(heads).lower()) or "GET /teams" in chart.inner_text()


def test_the_pointer_reads_a_chart(browser: Browser, page_file: Path) -> None:
    """The numbers under the pointer are shown, and go with it."""
    with opened(browser, page_file) as (page, _):
        area = page.locator(".chart .area").first
        area.hover()
        assert page.locator("#tip").inner_text().startswith("Time: 0:")
        assert "p95: " in page.locator("#tip").inner_text()
        page.mouse.move(5, 5)
        assert not page.locator("#tip").is_visible()


def test_phases_are_marked(browser: Browser, page_file: Path) -> None:
    """The logins before the run have a part of the axis of their own."""
    with opened(browser, page_file) as (page, _):
        assert page.locator(".chart").first.locator(".band").all_inner_texts() == ["login", "run"]


@pytest.mark.parametrize("width", [320, 390, 800, 1280])
def test_it_fits_any_width(browser: Browser, compared_file: Path, width: int) -> None:
    """The page never scrolls sideways; wide tables do, by keyboard too."""
    with opened(browser, compared_file, viewport={"width": width, "height": 800}) as (page, _):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("section > .wide").first.get_attribute("tabindex") == "0"


def test_it_prints(browser: Browser, compared_file: Path) -> None:
    """As PDF, of several pages, in light colours whatever the theme, without buttons."""
    with opened(browser, compared_file, color_scheme="dark") as (page, _):
        pdf = page.pdf(prefer_css_page_size=True)
        assert pdf.startswith(b"%PDF-")
        assert 2 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 10
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not page.locator("#theme").is_visible()
        assert page.locator("#route-table").is_visible()


def test_it_is_readable_without_script(browser: Browser, compared_file: Path) -> None:
    """All is there without the script, but what only a script could do."""
    with opened(browser, compared_file, java_script_enabled=False) as (page, _):
        assert len(column(page, 0)) == 6
        assert page.locator(".area svg path").count() > 8
        assert not page.locator("#filter").is_visible()
        assert not page.locator("#theme").is_visible()


def test_names_are_text(browser: Browser, page_file: Path) -> None:
    """Nothing in a log becomes markup or script."""
    with opened(browser, page_file) as (page, _):
        assert "GET /teams/<b>&" in column(page, 0)
        assert page.locator("table b").count() == 0


def test_gates_lead_and_the_verdict_is_theirs(browser: Browser, compared_file: Path) -> None:
    """Failed gates stand first, on top of the page."""
    with opened(browser, compared_file) as (page, _):
        assert page.get_by_role("heading", level=2).first.inner_text() == "4 of 5 gates failed"
        outcomes = page.locator(".gates .badge").all_inner_texts()
        assert outcomes == ["failed", "too few samples", "cannot be decided", "failed", "passed"]


def test_settings_that_differ_are_marked(browser: Browser, compared_file: Path) -> None:
    """Both values stand side by side."""
    with opened(browser, compared_file) as (page, _):
        page.get_by_text("1 differ from the baseline's").click()
        assert page.locator("tr.differs").inner_text().split() == ["A.B", "2", "1"]


def test_a_log_of_the_original_has_no_pictures_over_time(browser: Browser, tmp_path: Path) -> None:
    """That is said, and all else is there."""
    path = tmp_path / "old.html"
    assert run("results", "-f", RUN, "-b", BASELINE, "-o", path).exit_code == 0
    with opened(browser, path) as (page, heard):
        assert heard == []
        assert page.get_by_text("Pictures over time are left out").is_visible()
        assert page.locator(".chart.histogram").count() > 10
        assert Axe().run(page).violations_count == 0


def test_a_run_of_errors_only(browser: Browser, tmp_path: Path) -> None:
    """Nothing is drawn that was not measured, and nothing fails for it."""
    log = write_run(tmp_path / "errors.log", {"GET /a": Load(50, 1.0, 1.0)}, logins=0)
    with opened(browser, made(log)) as (page, heard):
        assert heard == []
        assert column(page, 2) == ["100.00%"]
        assert page.locator(".chart.line").count() == 3
        assert page.locator(".chart.histogram").count() == 0
        assert Axe().run(page).violations_count == 0


@pytest.mark.slow
def test_the_page_is_small_whatever_the_log(tmp_path: Path) -> None:
    """Thousands of routes with endless names, a day long, with as large a baseline: under two megabytes."""
    routes = {
        f"PUT /users/{number:026}/{'x' * 300}<&>": Load(40, 5.0 * (1 + number % 50), 0.1) for number in range(2000)
    }
    settings = {f"Section{part}": {f"Key{key}": "<" * 3000 for key in range(100)} for part in range(10)}
    one = write_run(tmp_path / "one.log", routes, instance="one", length_s=86_400.0, settings=settings, logins=1000)
    two = write_run(
        tmp_path / "two.log", routes, instance="two", seed=2, length_s=86_400.0, settings={"A": 1}, logins=1000
    )
    path = made(one, "-b", two)
    assert path.stat().st_size < MOST_BYTES
    text = path.read_text()
    assert "1,500 more routes are in the JSON and CSV only." in text
    assert "1,940 more distributions" in text
