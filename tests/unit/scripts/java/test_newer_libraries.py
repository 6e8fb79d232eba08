"""Which version counts as a patch of the locked one."""

import pytest

from scripts.java.newer_libraries import newest_patch


@pytest.mark.parametrize(
    ("locked", "known", "newest"),
    [
        ("4.2.13.Final", ["4.2.9.Final", "4.2.13.Final", "4.2.18.Final", "4.3.0.Final"], "4.2.18.Final"),
        ("4.2.13.Final", ["4.2.14.Beta1", "4.1.138.Final"], "4.2.13.Final"),
        ("2.25.4", ["2.25.4", "2.25.10", "2.26.0", "3.0.0-beta3"], "2.25.10"),
        ("33.6.0-jre", ["33.6.1-jre", "33.6.1-android"], "33.6.1-jre"),
        ("2.5", ["2.4", "2.6", "2.5"], "2.5"),
    ],
)
def test_the_newest_patch(locked: str, known: list[str], newest: str) -> None:
    assert newest_patch(locked, known) == newest
