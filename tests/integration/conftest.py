"""A browser, as a reader of a report and the user of a playground have one."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "google-chrome", "chromium-browser")  # as `make browser` looks for it


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium. Without one the tests are skipped; in CI, or with REQUIRE_BROWSER=1, they fail."""
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        if os.environ.get("REQUIRE_BROWSER") == "1" or os.environ.get("CI") == "true":
            pytest.fail("there is no Chromium: run `make browser`")
        pytest.skip("NO CHROMIUM, NOBODY LOOKS AT THE PAGES (make browser)")
    with sync_playwright() as playwright:
        # Chromium's own sandbox is refused to root, and in most containers.
        running = playwright.chromium.launch(executable_path=path, chromium_sandbox=False)
        yield running
        running.close()


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    """Where a test leaves what it saw; VTS_SCREENSHOTS names a folder that stays."""
    folder = Path(os.environ.get("VTS_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
