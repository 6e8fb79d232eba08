"""Whatever bytes an archive brings, a parser reads them or raises InputError, in bounded time."""

import io
import json
import zipfile
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from testbed.archive_parsers import MANIFEST, PARSERS, SAMPLES
from vertex_torchserve.errors import InputError
from vertex_torchserve.serving.archive.bounded_yaml import read_yaml
from vertex_torchserve.serving.archive.model_config import parse_model_config

# A slow example fails (pytest's own limit), a machine that is busy doesn't.
bounded = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=12),
    st.sampled_from([10**400, "\ud800", "\x85\u2028", "2001-99-99", "1:30", "=", "<<", "\x00", "*a"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def objects(*names: str) -> st.SearchStrategy[bytes]:
    """JSON objects with some of these fields, and values of any kind."""
    fields = st.fixed_dictionaries({}, optional=dict.fromkeys(names, VALUES))
    return fields.map(lambda value: json.dumps(value).encode())


def cut(text: bytes) -> st.SearchStrategy[bytes]:
    """A text with a stretch of it replaced, or repeated."""
    place = st.integers(0, len(text))
    return st.builds(
        lambda start, end, put, times: text[:start] + put * times + text[end:],
        place, place, st.binary(max_size=8) | st.sampled_from([b"[", b"{", b"- ", b"&a ", b"*a", b"9"]),
        st.sampled_from([1, 2, 60, 5000]),
    )  # fmt: skip


FED = {
    "manifest": st.builds(
        lambda model, rest: b'{"model": %s, "rest": %s}' % (model, rest),
        objects("modelName", "handler", "modelVersion", "serializedFile", "configFile", "description"),
        objects("runtime"),
    ),
    "golden_request": objects("instances", "parameters", "predictions", "tolerance"),
    "model_config": objects("minWorkers", "maxWorkers", "batchSize", "handler", "responseTimeout"),
    "archive": st.nothing(),
    "check": st.nothing(),
}


@pytest.mark.parametrize("name", PARSERS)
def test_nothing_but_input_errors_comes_out(name: str) -> None:
    @bounded
    @given(st.one_of(FED[name], st.binary(max_size=200), *map(cut, SAMPLES[name])))
    @example(b"[" * 100_000)
    @example(b"- " * 5000)
    @example(b"a: 1" + b":1" * 5000)
    def feed(text: bytes) -> None:
        PARSERS[name](text)

    feed()


@pytest.mark.parametrize("name", PARSERS)
def test_the_samples_are_read(name: str) -> None:
    PARSERS[name](SAMPLES[name][0])


@bounded
@given(
    st.lists(
        st.text(max_size=20) | st.sampled_from(["", ".", "./", "a/", "..", "a" * 300, "a/" * 600]), max_size=5
    )
)
def test_members_of_any_name(names: list[str]) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("MAR-INF/MANIFEST.json", MANIFEST)
        archive.writestr("handler.py", "")
        for name in dict.fromkeys(names):
            try:
                archive.writestr(zipfile.ZipInfo(name) if name else _nameless(), "x")
            except UnicodeEncodeError:
                continue
    PARSERS["archive"](content.getvalue())


def _nameless() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("x")
    info.filename = ""
    return info


@bounded
@given(st.dictionaries(st.text(min_size=1, max_size=6), VALUES, min_size=1, max_size=4))
def test_what_is_written_for_torchserve_is_what_was_read(content: dict[str, Any]) -> None:
    try:
        config = parse_model_config(json.dumps(content).encode(), "model-config.yaml")
        written = config.written({})
    except InputError:
        return
    assert read_yaml(written.encode("utf-8"), 1 << 20) == config.content
