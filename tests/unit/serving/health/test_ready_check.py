"""What is said about a model that takes long to load."""

import logging
import threading
from pathlib import Path

import pytest

from vertex_torchserve.serving.health.ready_check import ReadyCheck
from vertex_torchserve.serving.ports import free_ports
from vertex_torchserve.serving.settings import ServingSettings


def test_a_long_load_is_warned_about_ever_more_rarely(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    seconds, ended = 0.0, threading.Event()

    def clock() -> float:
        nonlocal seconds
        seconds += 4
        if seconds > 400:
            ended.set()
        return seconds

    http, management = free_ports(2)
    settings = ServingSettings.from_environment(
        {"AIP_HTTP_PORT": str(http), "VTS_MANAGEMENT_PORT": str(management)}
    )
    check = ReadyCheck(settings, "model", [], tmp_path / "ready", clock)
    with caplog.at_level(logging.INFO):
        check.run(ended)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "the model is still being loaded after 30 s: the management API does not answer"),
        ("WARNING", "the model is still being loaded after 60 s: the management API does not answer"),
        ("WARNING", "the model is still being loaded after 120 s: the management API does not answer"),
        ("WARNING", "the model is still being loaded after 240 s: the management API does not answer"),
    ]
    assert not (tmp_path / "ready").exists()
