"""A handler behind the envelope, in this process, called the way TorchServe's worker calls it."""

import importlib
import itertools
import json
import struct
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

_numbers = itertools.count(1)


class Answer(NamedTuple):
    status: int
    body: Any
    headers: dict[str, str]


def load_service(folder: Path, handler: str) -> Any:
    """Load `handler`, a module's source, with TorchServe's own loader and `service_envelope=instances`."""
    from ts.metrics.metric_cache_yaml_impl import MetricsCacheYamlImpl
    from ts.model_loader import TsModelLoader

    name = f"envelope_test_handler_{next(_numbers)}"
    (folder / f"{name}.py").write_text(handler)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    config = Path(sys.modules["ts"].__file__ or "").parent / "configs" / "metrics.yaml"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # TorchServe leaves this file open too
        metrics = MetricsCacheYamlImpl(str(config))
    metrics.initialize_cache()
    try:
        service = TsModelLoader().load(
            "model", str(folder), f"{name}.py", batch_size=16, envelope="instances", metrics_cache=metrics
        )
    finally:
        sys.path.remove(str(folder))
    service.set_cl_socket(None)
    return service


def send(
    service: Any, *bodies: Any, headers: Sequence[dict[str, str]] = (), name: str = "body"
) -> list[Answer]:
    """Send requests as one TorchServe batch.

    Args:
        service: From `load_service`.
        bodies: bytes as they are; anything else as JSON.
        headers: Of the requests, as many as there are bodies, or none.
        name: What TorchServe calls the body: `body`, or the name of a form's field.
    """
    batch = []
    for number, body in enumerate(bodies):
        value = body if isinstance(body, bytes) else json.dumps(body).encode()
        batch.append(
            {
                "requestId": f"id-{number}".encode(),
                "headers": [
                    {"name": key.encode(), "value": text.encode()}
                    for key, text in (headers[number] if headers else {}).items()
                ],
                "parameters": [{"name": name, "contentType": "application/json", "value": bytearray(value)}],
            }
        )
    code, answers = decode(bytes(service.predict(batch)))
    assert code == 200, f"TorchServe failed the whole batch with {code}"
    assert list(answers) == [f"id-{number}" for number in range(len(bodies))]
    return list(answers.values())


def parse_json(text: str) -> Any:
    """Parse JSON as the standard has it, without NaN and Infinity."""
    return json.loads(text, parse_constant=_no_constant)


def decode(message: bytes, parse: Callable[[str], Any] = parse_json) -> tuple[int, dict[str, Answer]]:
    """Take apart what the worker would send to the JVM (`ts/protocol/otf_message_handler.py`)."""
    position = 0

    def integer() -> int:
        nonlocal position
        (value,) = struct.unpack_from("!i", message, position)
        position += 4
        return int(value)

    def text() -> str:
        nonlocal position
        length = integer()
        position += length
        return message[position - length : position].decode()

    code, _ = integer(), text()
    answers = {}
    while message[position : position + 4] != struct.pack("!i", -1):
        request_id, _content_type, status, _phrase = text(), text(), integer(), text()
        headers = {text(): text() for _ in range(integer())}
        answers[request_id] = Answer(status, parse(text()), headers)
    return code, answers


def import_torchserve() -> None:
    """Import `ts` once and let it find the envelope."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # ts/__init__.py leaves its version.txt open
        importlib.import_module("ts")
    from vertex_torchserve.serving.envelope.model_service_worker import register_envelope

    register_envelope()


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")
