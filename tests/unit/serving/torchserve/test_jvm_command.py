"""Which variables of the container reach the JVM."""

import logging
from pathlib import Path

import pytest

from vertex_torchserve.serving.machine.sizing import Sizing
from vertex_torchserve.serving.settings import ServingSettings
from vertex_torchserve.serving.torchserve.jvm_command import jvm_environment, launcher_properties

SIZING = Sizing(
    workers=2, threads=3, batch_size=16, max_batch_delay_ms=1, netty_threads=4, heap_bytes=512 * 2**20
)


def test_what_the_server_decides_can_t_be_overridden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """TorchServe takes each from the environment first; the token keys and the envelope with them."""
    (tmp_path / "config.properties").write_text(
        "management_address=http://127.0.0.1:8081\nservice_envelope=instances\n"
    )
    for name in ("TS_MANAGEMENT_ADDRESS", "TS_SERVICE_ENVELOPE", "TS_CONFIG_FILE", "TS_MODEL_SERVER_HOME"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("TS_LIMIT_MAX_IMAGE_PIXELS", "false")
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)  # torch sets it where it was imported
    with caplog.at_level(logging.WARNING):
        environment = jvm_environment(tmp_path, SIZING)
    assert {name: value for name, value in environment.items() if name.startswith("TS_")} == {
        "TS_LIMIT_MAX_IMAGE_PIXELS": "false"
    }
    assert environment["OMP_NUM_THREADS"] == "3"
    assert Path(environment["VTS_WORKER_TIMES"]).read_bytes() == bytes(16)  # a float64 for each worker
    assert environment["TORCHINDUCTOR_CACHE_DIR"] == str(tmp_path / "torchinductor")
    assert environment["VTS_ABANDONED_REQUESTS"] == str(tmp_path / "abandoned-requests")
    assert [message.partition(" ")[0] for message in caplog.messages] == [
        "TS_CONFIG_FILE", "TS_MANAGEMENT_ADDRESS", "TS_MODEL_SERVER_HOME", "TS_SERVICE_ENVELOPE",
    ]  # fmt: skip
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("predict_route", "routes"),
    [
        ("", "/predictions/m /predictions/m /ping /ping"),
        ("/ask", "/ask /predictions/m /ping /ping"),
        ("/v1/models/a:predict", "/v1/models/a:predict /predictions/m /ping /ping /v1/models/a /v1/models/m"),
        ("/v1/models/a:predict/b", "/v1/models/a:predict/b /predictions/m /ping /ping"),
        ("/v1/endpoints/1:predict", "/v1/endpoints/1:predict /predictions/m /ping /ping"),
    ],
)
def test_a_route_of_kserve_has_the_models_state_beside_it(predict_route: str, routes: str) -> None:
    settings = ServingSettings.from_environment({"AIP_PREDICT_ROUTE": predict_route})
    properties = launcher_properties(Path("ready"), Path("api"), Path("abandoned"), settings, "m")
    assert properties["vts.routes"] == routes
