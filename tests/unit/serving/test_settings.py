import pytest

from vertex_torchserve.errors import InputError
from vertex_torchserve.serving.settings import ServingSettings
from vertex_torchserve.serving.torchserve.config_properties import response_timeout_seconds


def test_the_platforms_variables_come_first() -> None:
    settings = ServingSettings.from_environment(
        {"AIP_STORAGE_URI": "gs://b/m", "AIP_HTTP_PORT": "7080", "VTS_HTTP_PORT": "1", "MODEL_NAME": "m"}
    )
    assert (settings.storage_uri, settings.http_port, settings.model_name) == ("gs://b/m", 7080, "m")


def test_defaults() -> None:
    settings = ServingSettings.from_environment({"AIP_STORAGE_URI": "/models", "MODEL_NAME": ""})
    assert settings == ServingSettings(
        storage_uri="/models",
        model_store="/mnt/models",
        on_vertex=False,
        model_name=None,
        http_host="127.0.0.1",
        http_port=8080,
        predict_route="",
        health_route="",
        management_port=8081,
        metrics_port=8082,
        public_metrics=False,
        workers=None,
        threads=None,
        batch_size=None,
        max_batch_delay_ms=None,
        queue_size=1000,
        request_timeout_seconds=3600,
        read_timeout_seconds=30,
        idle_timeout_seconds=620,
        connections=4096,
        install_timeout_seconds=900,
        envelope="instances",
        golden_request="check",
        accelerator="",
        exit_with_stdin=False,
    )


@pytest.mark.parametrize(
    ("environment", "ports"),
    [
        ({"AIP_HTTP_PORT": "8081"}, (8081, 8082, 8083)),
        ({"AIP_HTTP_PORT": "8082"}, (8082, 8081, 8083)),
        ({"VTS_MANAGEMENT_PORT": "8082"}, (8080, 8082, 8083)),
        ({"AIP_HTTP_PORT": "8081", "VTS_MANAGEMENT_PORT": "7081"}, (8081, 7081, 8082)),
    ],
)
def test_a_port_that_was_asked_for_is_left_free(
    environment: dict[str, str], ports: tuple[int, int, int]
) -> None:
    settings = ServingSettings.from_environment(environment)
    assert (settings.http_port, settings.management_port, settings.metrics_port) == ports


def test_ports_that_are_asked_for_twice() -> None:
    with pytest.raises(InputError) as caught:
        ServingSettings.from_environment({"AIP_HTTP_PORT": "7080", "VTS_METRICS_PORT": "7080"})
    assert [problem.message for problem in caught.value.problems] == [
        "predictions, management and metrics would listen on 7080, 8081 and 7080; "
        "each needs a port of its own"
    ]


def test_everything_wrong_is_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        ServingSettings.from_environment({"AIP_HTTP_PORT": "http", "VTS_METRICS_PORT": "70000"})
    assert [problem.message for problem in caught.value.problems] == [
        "AIP_HTTP_PORT='http' is not a port; 1 to 65535 is accepted",
        "VTS_METRICS_PORT='70000' is not a port; 1 to 65535 is accepted",
    ]


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (
            {"AIP_PREDICT_ROUTE": "predict"},
            "AIP_PREDICT_ROUTE='predict' is not a path; printable ASCII from `/` on, without ? and #, is",
        ),
        (
            {"AIP_HEALTH_ROUTE": "/a?b"},
            "AIP_HEALTH_ROUTE='/a?b' is not a path; printable ASCII from `/` on, without ? and #, is",
        ),
        ({"AIP_PREDICT_ROUTE": "/ping"}, "AIP_PREDICT_ROUTE='/ping' is the route of health checks, too"),
        ({"VTS_ENVELOPE": "json"}, "VTS_ENVELOPE='json' is not accepted; instances and none are"),
    ],
)
def test_routes_and_envelopes_that_are_none(environment: dict[str, str], message: str) -> None:
    with pytest.raises(InputError) as caught:
        ServingSettings.from_environment(environment)
    assert [problem.message for problem in caught.value.problems] == [message]


@pytest.mark.parametrize(
    ("environment", "source"),
    [
        ({}, "/mnt/models"),
        ({"AIP_STORAGE_URI": ""}, "/mnt/models"),
        ({"VTS_MODEL_STORE": "/store"}, "/store"),
        ({"VTS_MODEL_STORE": "/store", "AIP_STORAGE_URI": "gs://b/m"}, "gs://b/m"),
    ],
)
def test_where_the_archive_is(environment: dict[str, str], source: str) -> None:
    assert ServingSettings.from_environment(environment).model_source == source


def test_vertex_says_that_it_is_vertex() -> None:
    assert ServingSettings.from_environment({"AIP_MODE": "PREDICTION"}).on_vertex


def test_limits_of_requests() -> None:
    settings = ServingSettings.from_environment(
        {"VTS_QUEUE_SIZE": "7", "VTS_REQUEST_TIMEOUT_SECONDS": "90", "AIP_STORAGE_URI": "/m"}
    )
    assert (settings.queue_size, settings.request_timeout_seconds) == (7, 90)
    assert response_timeout_seconds(settings) == 240  # the worker is given up long after the request


# The greatest value that each takes.
MOST = {
    "VTS_WORKERS": 1024,
    "VTS_THREADS": 1024,
    "VTS_BATCH_SIZE": 1_000_000,
    "VTS_MAX_BATCH_DELAY_MS": 3_600_000,
    "VTS_QUEUE_SIZE": 1_000_000,
    "VTS_REQUEST_TIMEOUT_SECONDS": 86400,
    "VTS_INSTALL_TIMEOUT_SECONDS": 86400,
    "VTS_READ_TIMEOUT_SECONDS": 86400,
    "VTS_IDLE_TIMEOUT_SECONDS": 86400,
    "VTS_CONNECTIONS": 100_000,
}


def test_the_greatest_numbers() -> None:
    settings = ServingSettings.from_environment({name: str(most) for name, most in MOST.items()})
    assert (settings.workers, settings.threads, settings.batch_size) == (1024, 1024, 1_000_000)
    assert (settings.max_batch_delay_ms, settings.queue_size) == (3_600_000, 1_000_000)
    assert (settings.request_timeout_seconds, settings.install_timeout_seconds) == (86400, 86400)
    assert (settings.read_timeout_seconds, settings.idle_timeout_seconds) == (86400, 86400)
    assert settings.connections == 100_000


@pytest.mark.parametrize("name", [*MOST, "OMP_NUM_THREADS"])
@pytest.mark.parametrize("value", ["0", "-1", "+1", "1.5", "1e3", "\u0663", "many", "beyond", "9" * 5000])
def test_a_number_out_of_bounds_is_refused(name: str, value: str) -> None:
    most = MOST.get(name, 1024)
    given = str(most + 1) if value == "beyond" else value
    with pytest.raises(InputError) as caught:
        ServingSettings.from_environment({name: given})
    shown = repr(given if len(given) <= 80 else f"{given[:80]}...")
    assert [problem.message for problem in caught.value.problems] == [
        f"{name}={shown} is not a whole number from 1 to {most:,}"
    ]


@pytest.mark.parametrize(
    "name", ["AIP_HTTP_PORT", "VTS_HTTP_PORT", "VTS_MANAGEMENT_PORT", "VTS_METRICS_PORT"]
)
@pytest.mark.parametrize("value", ["0", "65536", "-1", "\u0668\u0660", "8" * 5000])
def test_a_port_out_of_bounds_is_refused(name: str, value: str) -> None:
    with pytest.raises(InputError, match=f"{name}='.* is not a port; 1 to 65535 is accepted"):
        ServingSettings.from_environment({name: value})


def test_all_numbers_out_of_bounds_are_named_together() -> None:
    with pytest.raises(InputError) as caught:
        ServingSettings.from_environment({name: str(most + 1) for name, most in MOST.items()})
    assert len(caught.value.problems) == len(MOST)
