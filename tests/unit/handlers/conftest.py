"""The reference handler's package, imported by its bare name as in an archive."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HANDLERS = Path(__file__).parents[3] / "handlers"


@pytest.fixture(scope="module")
def handler_path() -> Iterator[None]:
    """Let `hf_handler` be imported, and put back what importing it sets in the environment."""
    pytest.importorskip("torch")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HF_HUB_OFFLINE", "1")
        environment.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        environment.syspath_prepend(str(HANDLERS))
        yield
    for name in list(sys.modules):
        if name.partition(".")[0] == "hf_handler":
            del sys.modules[name]
