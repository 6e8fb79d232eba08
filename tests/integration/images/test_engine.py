"""The Docker engine that the tests of images use."""

from pathlib import Path

import pytest

BRIDGE = Path("/sys/class/net/docker0")
SET_BY_SOMEBODY = "3"  # NET_ADDR_SET of Linux' if_link.h: not borrowed from a container


@pytest.mark.usefixtures("engine")
def test_containers_that_come_and_go_do_not_change_the_bridge_s_address() -> None:
    """Otherwise answers that are on their way to the old address are lost."""
    if not BRIDGE.exists():
        pytest.skip("NO docker0 ON THIS MACHINE (Docker Desktop, or another bridge)")
    assert (BRIDGE / "addr_assign_type").read_text().strip() == SET_BY_SOMEBODY
