"""TorchServe's own handlers, and what derives from them, get rows; all others get instances."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.serving.envelope.torchserve_worker import import_torchserve, load_service, send

# Shows what it is given, in the place of the model that the base class would load.
SHOWING = """\
from ts.torch_handler.{module} import {base}


class Shown({base}):
    def initialize(self, context):
        pass

    def handle(self, data, context):
        return [[type(each).__name__, str(each)] for each in data]
"""


@pytest.fixture(scope="module", autouse=True)
def torchserve() -> None:
    import_torchserve()


def given(folder: Path, source: str, *instances: Any) -> Any:
    (answer,) = send(load_service(folder, source), {"instances": list(instances)})
    assert answer.status == 200, answer.body
    return answer.body["predictions"]


def test_a_handler_of_torchserve_s_gets_rows(tmp_path: Path) -> None:
    source = SHOWING.format(module="densenet_handler", base="DenseNetHandler")
    assert given(tmp_path, source, "a", {"b64": "Yg=="}, [1, 2], {"data": "c"}, None) == [
        ["dict", "{'body': 'a'}"],
        ["dict", "{'body': b'b'}"],
        ["dict", "{'body': [1, 2]}"],
        ["dict", "{'data': 'c'}"],
        ["dict", "{'body': None}"],
    ]


def test_base_handler_and_all_others_get_instances(tmp_path: Path) -> None:
    expected = [["str", "a"], ["bytes", "b'b'"]]
    source = SHOWING.format(module="base_handler", base="BaseHandler")
    assert given(tmp_path, source, "a", {"b64": "Yg=="}) == expected
    function = "def handle(data, context):\n    return data and [[type(x).__name__, str(x)] for x in data]\n"
    assert given(tmp_path, function, "a", {"b64": "Yg=="}) == expected
