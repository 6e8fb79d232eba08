"""The HTML page of a real smoke test, looked at in Chromium: in both themes, on a desk and on a phone."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from testbed.archives import write_archive
from tests.commands import run_command

# Prints what must not run in a page, and fails when it is told to.
HANDLER = """\
import logging

SCRIPT = "</pre><script>document.title = 'taken over'</script><img src=x onerror=alert(1)>"

def handle(data, context):
    if data is None:
        logging.warning("%s", SCRIPT)
        return None
    if "fail" in data:
        raise ValueError(SCRIPT)
    return [{"label": f"{item}{SCRIPT}"} for item in data]
"""
LABEL = "a</pre><script>document.title = 'taken over'</script><img src=x onerror=alert(1)>"
GOLDEN = {"instances": ["a"], "predictions": [{"label": LABEL}]}
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1200, "height": 900}


@dataclass(frozen=True)
class Made:
    """What one command left: the files, what it printed as JSON, its exit code."""

    page: Path
    junit: Path
    report: dict[str, Any]
    code: int


def smoke_test(folder: Path, *instances: str) -> Made:
    mar = write_archive(folder, HANDLER, files={"golden-request.json": json.dumps(GOLDEN)})
    (folder / "instances.json").write_text(json.dumps(instances))
    page, junit = folder / "report.html", folder / "junit.xml"
    run = run_command(
        "smoke-test", str(mar), "--instances", str(folder / "instances.json"), "--json",
        "--report", str(page), "--junit", str(junit),
    )  # fmt: skip
    assert run.stdout, run.stderr
    return Made(page, junit, json.loads(run.stdout), run.returncode)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return smoke_test(tmp_path_factory.mktemp("served"), "a", "b")


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return smoke_test(tmp_path_factory.mktemp("failed"), "fail")


def test_what_all_forms_tell_of_a_model_that_serves(served: Made) -> None:
    assert served.code == 0
    report = served.report
    assert [phase["name"] for phase in report["phases"]] == [
        "fetch", "unpack", "JVM", "load", "golden", "first answer",
    ]  # fmt: skip
    assert all(phase["ended"] for phase in report["phases"])
    whole = sum(phase["seconds"] for phase in report["phases"][:-1])
    assert 0 < whole < report["ready_seconds"] + 1.0
    assert [step["clients"] for step in report["load"]] == [1, 2, 4, 8]
    assert all(step["failed"] == 0 and step["answered"] >= step["clients"] for step in report["load"])
    assert report["versions"]["torchserve"] == "0.12.0"
    assert len(report["sha256"]) == 64
    suites = ElementTree.parse(served.junit).getroot()
    assert (suites.attrib["tests"], suites.attrib["failures"]) == ("7", "0")
    assert served.page.stat().st_size < 2_000_000


def test_what_all_forms_tell_of_one_that_does_not(failed: Made) -> None:
    assert failed.code == 1
    assert failed.report["load"] == []
    assert [check["name"] for check in failed.report["checks"] if not check["ok"]] == ["status"]
    suites = ElementTree.parse(failed.junit).getroot()
    assert (suites.attrib["tests"], suites.attrib["failures"]) == ("4", "1")
    assert "✗ It does not serve" in failed.page.read_text()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_read_in_both_themes_on_a_desk_and_on_a_phone(
    browser: Any, served: Made, screenshots: Path, theme: str, size: dict[str, int]
) -> None:
    page = browser.new_page(viewport=size, color_scheme=theme)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: said.append(request.url))
    page.goto(served.page.as_uri())
    assert page.locator(".verdict").inner_text() == "✓ It serves"
    assert page.title() == "model: ✓ It serves"
    light = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(246, 247, 249)"
    assert light == (theme == "light")
    # Nothing is wider than the screen.
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert page.locator("#load svg").count() == 2
    name = f"report-{theme}-{'desk' if size is DESK else 'phone'}.png"
    page.screenshot(path=str(screenshots / name), full_page=True)
    for summary in page.locator("summary").all():
        details = summary.locator("xpath=..")
        hidden = details.locator(":scope > :not(summary)").first
        assert not hidden.is_visible()
        summary.click()
        assert hidden.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert said == [served.page.as_uri()]
    page.close()


def test_a_failure_is_seen_at_once_and_nothing_of_the_handler_runs(
    browser: Any, failed: Made, screenshots: Path
) -> None:
    page = browser.new_page(viewport=DESK)
    page.goto(failed.page.as_uri())
    assert page.title() == "model: ✗ It does not serve"
    assert "</pre><script>document.title = 'taken over'</script>" in page.locator(".failure pre").inner_text()
    assert page.locator("#checks details[open]").count() == 1
    assert page.locator("script, img").count() == 0
    page.screenshot(path=str(screenshots / "report-failed.png"), full_page=True)
    page.close()


def test_where_a_report_can_not_be_written_nothing_is_served(served: Made, tmp_path: Path) -> None:
    mar = served.page.parent / "model.mar"
    run = run_command(
        "smoke-test", str(mar), "--report", str(tmp_path), "--junit", str(tmp_path / "none" / "junit.xml")
    )
    assert run.returncode == 2
    assert f"{tmp_path} is a folder; the name of a file is needed" in run.stderr
    assert f"the folder {tmp_path}/none of junit.xml does not exist" in run.stderr
