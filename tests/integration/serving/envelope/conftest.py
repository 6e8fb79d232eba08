"""One server for all tests of the envelope."""

from collections.abc import Iterator

import pytest

from tests.integration.serving.envelope.envelope_server import Server, envelope_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with envelope_server(tmp_path_factory.mktemp("store")) as server:
        yield server
