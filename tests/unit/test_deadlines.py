"""pytest's own limit ends nothing that a deadline ends."""

import re
import tomllib

from testbed import deadlines
from tests.documents import ROOT


def test_pytests_limit_is_longer_than_all_deadlines_of_a_test_without_an_image() -> None:
    limit = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["timeout"]
    longest = deadlines.READY_SECONDS + deadlines.ANSWER_SECONDS + deadlines.STOP_SECONDS
    assert limit >= deadlines.PROGRAM_SECONDS + longest + 2 * deadlines.MOMENT_SECONDS


def test_no_test_changes_the_clock_of_its_process() -> None:
    """Servers of other tests run in threads beside it: their event loops would sleep for the difference."""
    changes = re.compile(r"setattr\(\s*(time\b|[\"']time\.)")
    tests = (ROOT / "tests").rglob("*.py")
    assert [path for path in tests if changes.search(path.read_text(encoding="utf-8"))] == []
