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
        management_port=8081,
        metrics_port=8082,
        workers=None,
        threads=None,
        batch_size=None,
        max_batch_delay_ms=None,
        queue_size=1000,
        request_timeout_seconds=3600,
        install_timeout_seconds=900,
        accelerator="",
        exit_with_stdin=False,
    )


def test_everything_wrong_is_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        ServingSettings.from_environment({"AIP_HTTP_PORT": "http", "VTS_METRICS_PORT": "70000"})
    assert [problem.message for problem in caught.value.problems] == [
        "AIP_HTTP_PORT='http' is not a port; 1 to 65535 is accepted",
        "VTS_METRICS_PORT='70000' is not a port; 1 to 65535 is accepted",
    ]


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


def test_a_time_out_of_more_than_a_day_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        ServingSettings.from_environment({"VTS_QUEUE_SIZE": "0", "VTS_REQUEST_TIMEOUT_SECONDS": "86401"})
    assert [problem.message for problem in caught.value.problems] == [
        "VTS_REQUEST_TIMEOUT_SECONDS=86401 is more than 86400, a day",
        "VTS_QUEUE_SIZE='0' is not a whole number of 1 or more",
    ]
