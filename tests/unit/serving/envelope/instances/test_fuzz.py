"""Whatever bytes a client sends, the answer is 200 or 400, and a neighbour in the batch never notices.

`VTS_FUZZ_EXAMPLES` sets the number of bodies for a long run; 10,000 take about two minutes on two cores.
"""

import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.serving.envelope.torchserve_worker import import_torchserve, load_service, send

EXAMPLES = int(os.environ.get("VTS_FUZZ_EXAMPLES", "150"))
ECHO = "def handle(data, context):\n    return data and [type(item).__name__ for item in data]\n"
NAMES = st.sampled_from(["instances", "parameters", "b64", "data", "body"]) | st.text(max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20) | st.just("aGVsbG8="),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)
REQUESTS = st.fixed_dictionaries(
    {"instances": st.lists(VALUES, max_size=5) | VALUES},
    optional={"parameters": VALUES, "signature_name": VALUES},
)
JSON_BODIES = (REQUESTS | VALUES).map(lambda value: json.dumps(value).encode())
NESTED = st.tuples(st.sampled_from([b"[", b'{"a":', b'{"instances":[']), st.integers(1, 5000)).map(
    lambda pair: pair[0] * pair[1]
)
DIGITS = st.integers(1, 9000).map(lambda count: b'{"instances":[' + b"9" * count + b"]}")


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """JSON with one stretch of it replaced, doubled or cut out."""
    body = draw(JSON_BODIES)
    start = draw(st.integers(0, len(body)))
    end = draw(st.integers(start, len(body)))
    middle = draw(st.sampled_from([b"", body[start:end] * 2]) | st.binary(max_size=8))
    return body[:start] + middle + body[end:]


BODIES = JSON_BODIES | damaged() | st.binary(max_size=200) | NESTED | DIGITS


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Any:
    import_torchserve()
    return load_service(tmp_path_factory.mktemp("fuzz"), ECHO)


@given(body=BODIES)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
def test_no_body_causes_a_server_error_or_touches_its_neighbour(service: Any, body: bytes) -> None:
    fuzzed, neighbour = send(service, body, {"instances": ["a", 1]})
    assert (neighbour.status, neighbour.body) == (200, {"predictions": ["str", "int"]})
    assert fuzzed.headers["content-type"] == "application/json"
    if fuzzed.status == 200:
        assert len(fuzzed.body["predictions"]) == len(json.loads(body)["instances"])
    else:
        assert fuzzed.status == 400
        assert isinstance(fuzzed.body["error"], str)


@given(instances=st.lists(VALUES, max_size=5), parameters=st.dictionaries(NAMES, VALUES, max_size=3))
@settings(max_examples=EXAMPLES, deadline=None, database=None)
def test_every_well_formed_request_is_answered(service: Any, instances: list[Any], parameters: Any) -> None:
    (answer,) = send(service, {"instances": [[instance] for instance in instances], "parameters": parameters})
    assert (answer.status, answer.body) == (200, {"predictions": ["list"] * len(instances)})
