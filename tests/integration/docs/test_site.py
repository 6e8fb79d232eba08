"""The site of the documents: it is built without a warning, and has what readers look for."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.deadlines import PROGRAM_SECONDS
from tests.documents import ROOT
from vertex_torchserve import __version__

# Where what stands there, and the words that must be on the page.
PAGES = {
    "index.html": "Try it",
    "component/index.html": "smoke_test_instances",
    "handlers/index.html": "text-classification",
    "images/index.html": "VTS_QUEUE_SIZE",
    "examples/pipelines/index.html": "canary",
    "docs/commands.html": "vertex-torchserve batch-predict",
    "docs/environment.html": "VTS_MAX_BATCH_DELAY_MS",
    "docs/messages.html": "is not a port",
    "docs/python.html": "build_model_archive",
    "docs/checks.html": "Fix",
    "docs/decisions/0034-documents-where-they-lie.html": "Zensical",
    "benchmarks/results/throughput.html": "stock",
    "src/vertex_torchserve/errors.py.html": "InputError",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it, in a folder of the test's own."""
    folder = tmp_path_factory.mktemp("site")
    recipe = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", "docs"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()[-1]
    assert recipe == "NO_MKDOCS_2_WARNING=1 .venv/bin/python -m mkdocs build"  # --quiet never fails
    run = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(folder)],
        check=False, cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True, text=True, timeout=PROGRAM_SECONDS,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


def test_it_has_the_pages_that_readers_look_for(site: Path) -> None:
    for page, words in PAGES.items():
        assert words in (site / page).read_text(), page


def test_each_page_says_which_version_it_is_of(site: Path) -> None:
    for page in PAGES:
        footer = (site / page).read_text().partition("<footer")[2]
        assert f"vertex-torchserve {__version__}" in footer, page


def test_versions_beside_each_other_would_be_offered(site: Path) -> None:
    config = re.findall(r'<script id="__config"[^>]*>(.*?)</script>', (site / "index.html").read_text())
    assert json.loads(config[0])["version"] == {"provider": "mike", "alias": True}


def test_a_link_to_code_leads_to_the_page_that_shows_it(site: Path) -> None:
    architecture = (site / "docs/architecture.html").read_text()
    assert 'href="../src/vertex_torchserve/errors.py.html"' in architecture
    assert 'href="../component/index.html"' in (site / "docs/troubleshooting.html").read_text()


def test_nothing_is_loaded_from_elsewhere_with_the_page(site: Path) -> None:
    loaded = re.findall(
        r'<(?:script|link|img)[^>]+(?:src|href)="(https?://[^"]+)"', (site / "index.html").read_text()
    )
    assert loaded == []


def test_no_page_shows_the_fence_of_a_block(site: Path) -> None:
    text = {page.relative_to(site).as_posix(): page.read_text() for page in site.rglob("*.html")}
    assert len(text) > len(PAGES)
    shown = {
        page for page, html in text.items() if "```" in re.sub(r"<code>.*?</code>", "", html, flags=re.S)
    }
    assert shown == set()
