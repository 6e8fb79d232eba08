"""Why a load failed, as the worker writes it: real handlers, loaded by TorchServe's own loader."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.serving.envelope.torchserve_worker import import_torchserve, load_service
from vertex_torchserve.serving.envelope.model_service_worker import (
    LOAD_LOGGER,
    LineFormatter,
    report_failed_loads,
)

HANDLED = """\
import logging
try:
    import not_there
except ImportError:
    logging.exception("going on without")
"""


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the worker writes about loads."""
    import_torchserve()
    from ts.model_loader import TsModelLoader

    load, stream = TsModelLoader.load, io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter())
    report_failed_loads(handler)
    yield stream
    TsModelLoader.load = load


def chain(written: io.StringIO) -> list[str]:
    """The last lines of the tracebacks in the one record that was written."""
    (line,) = written.getvalue().splitlines()
    fields = json.loads(line.removeprefix("vts-log "))
    assert (fields["severity"], fields["logger"]) == ("ERROR", LOAD_LOGGER)
    lines = fields["message"].splitlines()
    assert lines[:2] == ["the model could not be loaded", "Traceback (most recent call last):"]
    return [
        text for text in lines[2:] if text and not text.startswith((" ", "Traceback", "During", "The above"))
    ]


INITIALIZE = """\
class Handler:
    def initialize(self, context):
        {}

    def handle(self, data, context):
        return data
"""


@pytest.mark.parametrize(
    ("handler", "told"),
    [
        (
            HANDLED + INITIALIZE.format("raise ValueError('the real cause')"),
            ["ValueError: the real cause"],
        ),
        (
            "try:\n    {}['size']\nexcept KeyError as error:\n"
            "    raise RuntimeError('labels.json is missing: add it') from error\n",
            ["KeyError: 'size'", "RuntimeError: labels.json is missing: add it"],
        ),
        (
            "try:\n    import not_there\nexcept ImportError:\n    raise ValueError('vocab.txt is empty')\n",
            ["ModuleNotFoundError: No module named 'not_there'", "ValueError: vocab.txt is empty"],
        ),
        (
            "try:\n    {}['size']\nexcept KeyError as error:\n    raise ImportError('no sizes') from error\n",
            ["KeyError: 'size'", "ImportError: no sizes"],
        ),
        ("import not_there\n", ["ModuleNotFoundError: No module named 'not_there'"]),
        ("class A: pass\nclass B: pass\n", None),
    ],
    ids=[
        "handled-before",
        "raised-from",
        "raised-while",
        "its-own-importerror",
        "import",
        "two-classes",
    ],
)
def test_the_whole_chain_is_written_and_nothing_of_torchserves_search(
    tmp_path: Path, written: io.StringIO, handler: str, told: list[str] | None
) -> None:
    with pytest.raises((ImportError, RuntimeError, ValueError)):
        load_service(tmp_path, handler)
    if told is None:
        assert chain(written)[0].startswith("ValueError: Expected only one class in custom service code")
    else:
        assert chain(written) == told


@pytest.mark.parametrize("end", ["KeyboardInterrupt", "SystemExit(3)"])
def test_ends_that_are_no_exception_are_written_too(tmp_path: Path, written: io.StringIO, end: str) -> None:
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        load_service(tmp_path, INITIALIZE.format(f"raise {end}"))
    assert chain(written) == [end.replace("(3)", ": 3")]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("image_classifier", "ModuleNotFoundError: No module named 'torchvision'"),
        ("nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
    ],
)
def test_a_handler_by_name_is_torchserves_own(
    tmp_path: Path, written: io.StringIO, entry: str, told: str
) -> None:
    from ts.model_loader import TsModelLoader

    with pytest.raises(ModuleNotFoundError):
        TsModelLoader().load("model", str(tmp_path), entry)
    assert chain(written) == [told]


def test_a_load_that_goes_well_writes_nothing(tmp_path: Path, written: io.StringIO) -> None:
    assert load_service(tmp_path, "def handle(data, context):\n    return data\n") is not None
    assert written.getvalue() == ""
