"""`make docs-version`: the sites of two versions stand beside each other on a branch of pages."""

import functools
import http.server
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testbed.deadlines import PROGRAM_SECONDS
from tests.documents import ROOT

pytestmark = pytest.mark.heavy  # two builds of the site; test_site.py has one


def run(*command: str, cwd: Path) -> str:
    """The output of a program that must succeed."""
    done = subprocess.run(
        command, check=False, cwd=cwd, capture_output=True, text=True, timeout=PROGRAM_SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with this checkout's files, from which 0.1.0 and then 0.2.0 were published."""
    folder = tmp_path_factory.mktemp("checkout")
    files = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for file in filter(None, files.split("\0")):
        if (ROOT / file).is_file():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, folder / file)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    run("git", "init", "--quiet", cwd=folder)
    run("git", "config", "user.name", "A Releaser", cwd=folder)
    run("git", "config", "user.email", "releaser@example.com", cwd=folder)
    for version in ("0.1.0", "0.2.0"):
        package = folder / "src" / "vertex_torchserve" / "__init__.py"
        source = re.sub(r'__version__ = ".*"', f'__version__ = "{version}"', package.read_text())
        package.write_text(source)
        run("git", "add", "--all", cwd=folder)
        run("git", "commit", "--quiet", "--message", version, cwd=folder)
        run("make", "--old-file", "setup", "docs-version", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def pages(checkout: Path) -> Path:
    """What the branch holds, as a host of pages has it."""
    folder = checkout / "build" / "pages"
    run("git", "worktree", "add", str(folder), "gh-pages", cwd=checkout)
    return folder


@pytest.fixture
def address(pages: Path) -> Iterator[str]:
    """Where the pages are served."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(pages))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_both_versions_are_there_and_the_newest_is_the_latest(pages: Path) -> None:
    assert json.loads((pages / "versions.json").read_text()) == [
        {"version": "0.2.0", "title": "0.2.0", "aliases": ["latest"]},
        {"version": "0.1.0", "title": "0.1.0", "aliases": []},
    ]
    for folder, version in {"0.1.0": "0.1.0", "0.2.0": "0.2.0", "latest": "0.2.0"}.items():
        footer = (pages / folder / "docs/commands.html").read_text().partition("<footer")[2]
        assert f"vertex-torchserve {version}" in footer, folder


def test_every_link_within_a_version_leads_to_a_file(pages: Path) -> None:
    links = {
        (page, link.partition("#")[0])
        for version in ("0.1.0", "0.2.0")
        for page in (pages / version).rglob("*.html")
        if page.name != "404.html"  # its links are from the root of a host
        for link in re.findall(r'(?:href|src)="([^"]*)"', page.read_text())
        if not re.match(r"[a-z]+:", link)
    }
    assert len(links) > 1000
    assert {(page, link) for page, link in links if not (page.parent / link).exists()} == set()


def test_a_reader_is_led_to_the_latest_and_may_change_the_version(address: str, browser: Any) -> None:
    page = browser.new_page()
    page.goto(address)
    page.wait_for_url(f"{address}/latest/")
    page.goto(f"{address}/latest/docs/commands.html")
    page.wait_for_selector(".md-version__item", state="attached")
    offered = page.eval_on_selector_all(
        ".md-version__link", "links => links.map(each => each.innerText.trim())"
    )
    assert offered == ["0.2.0latest", "0.1.0"]  # the alias is drawn as a mark
    page.hover(".md-version", force=True)  # its list opens over it
    page.click(".md-version__link >> text=0.1.0")
    page.wait_for_url(f"{address}/0.1.0/")
    assert "vertex-torchserve 0.1.0" in page.inner_text("footer")
    page.close()
