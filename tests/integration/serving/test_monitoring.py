"""What a server at work shows: metrics, what examples/monitoring asks of them, the API's description."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import promql_parser
import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS
from testbed.packaged_models import package
from testbed.processes import wait_until
from vertex_torchserve.serving.local_server import ServingProcess

EXAMPLES = Path(__file__).parents[3] / "examples" / "monitoring"
SAMPLE = re.compile(r"^(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')
# Prometheus adds them to every sample, by the target it came from.
OF_TARGETS = {"job", "instance"}
# Grafana fills these in.
VARIABLES = {"$__rate_interval": "5m", "$job": ".*"}

OF_THE_HANDLER = {"ModelName": "model", "Level": "Model", "Hostname": socket.gethostname()}
ASKED = {
    "instances": ["one two three"],
    "parameters": {"max_new_tokens": 4, "min_new_tokens": 4, "do_sample": False},
}
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Of a server with a tiny model that writes, which has answered three requests and refused one."""
    folder = tmp_path_factory.mktemp("monitoring")
    environment = {
        "AIP_STORAGE_URI": str(package("text-generation", folder).parent),
        "VTS_WORKERS": "1",
        "VTS_PUBLIC_METRICS": "1",
        "VTS_QUEUE_SIZE": "7",
    }
    with ServingProcess(environment) as server:
        server.wait_ready(READY_SECONDS)
        with httpx.Client(base_url=server.base_url, timeout=ANSWER_SECONDS) as running:
            for _ in range(3):
                assert running.post("/predictions/model", json=ASKED).status_code == 200
            assert running.post("/predictions/model", json={"inputs": 1}).status_code == 400
            assert running.get("/predictions/model").status_code == 405
            yield running


def written_tokens(client: httpx.Client) -> str:
    """The line of a scrape; empty where there is none."""
    lines = client.get("/metrics").text.splitlines()
    return next((line for line in lines if line.startswith("vts_generated_tokens_total{")), "")


@pytest.fixture(scope="module")
def samples(client: httpx.Client) -> Samples:
    # What a handler counts is a line that its worker prints, and TorchServe may read it after the answer.
    wait_until(
        lambda: "} 12.0" in written_tokens(client),
        ANSWER_SECONDS,
        "what the worker counted is read",
    )
    answer = client.get("/metrics")
    assert (answer.status_code, answer.headers["content-type"]) == (
        200,
        "text/plain; version=0.0.4; charset=utf-8",
    )
    return {
        (found["name"], frozenset(LABEL.findall(found["labels"] or ""))): float(found["value"])
        for found in SAMPLE.finditer(answer.text)
    }


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("vts_request_duration_seconds_count", {"status": "200"}, 3),
        ("vts_request_duration_seconds_bucket", {"status": "200", "le": "+Inf"}, 3),
        ("vts_request_duration_seconds_count", {"status": "400"}, 1),
        ("vts_batch_requests_count", {}, 4),
        ("vts_batch_requests_sum", {}, 4),
        ("vts_queue_wait_seconds_count", {}, 4),
        ("vts_queue_requests", {"model": "model"}, 0),
        ("vts_queue_capacity_requests", {"model": "model"}, 7),
        ("vts_workers_loaded", {"model": "model"}, 1),
        ("vts_workers_wanted", {"model": "model"}, 1),
        ("vts_ready", {}, 1),
        ("vts_prompt_tokens_total", OF_THE_HANDLER, 9),
        ("vts_generated_tokens_total", OF_THE_HANDLER, 12),
    ],
)
def test_what_was_done_is_counted(samples: Samples, name: str, labels: dict[str, str], value: float) -> None:
    assert samples[name, frozenset(labels.items())] == value


def test_get_is_not_counted_as_a_prediction(samples: Samples) -> None:
    statuses = {
        dict(labels)["status"] for name, labels in samples if name == "vts_request_duration_seconds_count"
    }
    assert statuses == {"200", "400"}


def dashboard_queries() -> list[str]:
    board = json.loads((EXAMPLES / "grafana-dashboard.json").read_text())
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]]


def alert_queries() -> list[str]:
    (group,) = yaml.safe_load((EXAMPLES / "alerts.yaml").read_text())["groups"]
    return [rule["expr"] for rule in group["rules"]]


@pytest.mark.parametrize("query", [*dashboard_queries(), *alert_queries()])
def test_a_query_asks_for_what_the_server_tells(samples: Samples, query: str) -> None:
    for variable, value in VARIABLES.items():
        query = query.replace(variable, value)
    known: dict[str, set[str]] = {}
    for name, labels in samples:
        known.setdefault(name, set(OF_TARGETS)).update(label for label, _ in labels)
    expression = promql_parser.parse(query)
    selected = list(selectors(expression))
    assert selected
    for name, matched in selected:
        assert name in known
        assert matched <= known[name], name
    for label in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", query):
        for each in (part.strip() for part in label.split(",")):
            assert any(each in known[name] for name, _ in selected), each


def selectors(expression: Any) -> Iterator[tuple[str, set[str]]]:
    """The metrics that a query reads, each with the labels that it is chosen by."""
    if isinstance(expression, promql_parser.VectorSelector):
        assert expression.name is not None
        yield expression.name, {matcher.name for matcher in expression.matchers.matchers}
    elif isinstance(expression, promql_parser.MatrixSelector):
        yield from selectors(expression.vector_selector)
    elif isinstance(expression, promql_parser.BinaryExpr):
        yield from selectors(expression.lhs)
        yield from selectors(expression.rhs)
    elif isinstance(expression, promql_parser.Call):
        for argument in expression.args:
            yield from selectors(argument)
    elif isinstance(expression, promql_parser.AggregateExpr | promql_parser.ParenExpr):
        yield from selectors(expression.expr)
    else:
        assert isinstance(expression, promql_parser.NumberLiteral), type(expression)


def test_the_api_is_described_with_the_models_schemas(client: httpx.Client) -> None:
    answers = [
        client.request(method, path)
        for method, path in (("OPTIONS", "/predictions/model"), ("OPTIONS", "/"), ("GET", "/api-description"))
    ]
    for answer in answers:
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert answer.content == answers[0].content
    document = answers[0].json()
    OpenAPIV31SpecValidator(document).validate()  # once: it takes seconds for a model with many parameters
    assert set(document["paths"]) >= {"/predictions/model", "/v1/models/model:predict", "/ping"}
    described = {"components": document["components"]}
    request = {**described, "$ref": "#/components/schemas/Request"}
    jsonschema.validate(ASKED, request)
    for refused in ({"instances": ["cat"], "parameters": {"top_k": "all"}}, {"instances": [1.5]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(refused, request)
        assert client.post("/predictions/model", json=refused).status_code == 400
    predictions = client.post("/predictions/model", json=ASKED).json()
    jsonschema.validate(predictions, {**described, "$ref": "#/components/schemas/Response"})


def test_another_model_is_not_described(client: httpx.Client) -> None:
    answer = client.options("/predictions/other")
    assert (answer.status_code, answer.json()) == (404, {"error": "Model not found: other"})
