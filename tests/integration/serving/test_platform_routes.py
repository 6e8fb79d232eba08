"""The routes that the platform asks for are served, whatever the archive's file is called."""

from pathlib import Path

import httpx

from testbed.archives import write_archive
from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS
from vertex_torchserve.serving.local_server import ServingProcess

PREDICT, HEALTH = "/v1/endpoints/1/deployedModels/2:predict", "/v1/endpoints/1/deployedModels/2"
GOLDEN = '{"instances": ["a"], "predictions": [{"echo": "a"}]}'


def test_the_routes_of_the_platform_and_torchserves_own(tmp_path: Path) -> None:
    write_archive(tmp_path, files={"golden-request.json": GOLDEN}, modelName="bert")  # and it is model.mar
    environment = {"AIP_STORAGE_URI": str(tmp_path), "VTS_WORKERS": "1"}
    routes = {"AIP_PREDICT_ROUTE": PREDICT, "AIP_HEALTH_ROUTE": HEALTH}
    with ServingProcess(environment | routes) as server:
        server.wait_ready(READY_SECONDS)
        with httpx.Client(base_url=server.base_url, timeout=ANSWER_SECONDS) as client:
            for path in (PREDICT, f"{PREDICT}?a=b", "/predictions/bert"):
                answer = client.post(path, json={"instances": ["b"]})
                assert (path, answer.status_code, answer.text) == (
                    path,
                    200,
                    '{"predictions": [{"echo": "b"}]}',
                )
            for path in (HEALTH, f"{HEALTH}?a=b", "/ping"):
                assert (path, client.get(path).status_code) == (path, 200)
            assert client.post(HEALTH).status_code == 405
            assert client.post("/predictions/model", json={"instances": ["b"]}).status_code == 404


def test_kserve_asks_by_the_name_of_its_inference_service(tmp_path: Path) -> None:
    write_archive(tmp_path, files={"golden-request.json": GOLDEN}, modelName="bert")
    environment = {"VTS_WORKERS": "1", "VTS_MODEL_STORE": str(tmp_path)}
    with ServingProcess(environment | {"AIP_PREDICT_ROUTE": "/v1/models/reviews:predict"}) as server:
        server.wait_ready(READY_SECONDS)
        with httpx.Client(base_url=server.base_url, timeout=ANSWER_SECONDS) as client:
            for name in ("reviews", "bert"):
                answer = client.post(f"/v1/models/{name}:predict", json={"instances": ["b"]})
                assert (answer.status_code, answer.text) == (200, '{"predictions": [{"echo": "b"}]}')
                assert client.get(f"/v1/models/{name}").json() == {"name": "bert", "ready": True}
            assert client.get("/v1/models/other").status_code == 404
