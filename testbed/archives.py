"""Small model archives, written by hand, and the handlers in them: what a user would have, in a second."""

import io
import json
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path

ECHO_HANDLER = """\
def handle(data, context):
    return None if data is None else [{"echo": instance} for instance in data]
"""
BROKEN_HANDLER = """\
class Handler:
    def initialize(self, context):
        raise ValueError("the weights are of another model")

    def handle(self, data, context):
        return data
"""
# Put before a handler: an exception that is logged and handled, by code that takes logging over.
HANDLED_BEFORE = """\
import logging
logging.basicConfig(force=True)
try:
    import not_there
except ImportError:
    logging.exception("going on without")
"""
SHORT_HANDLER = """\
def handle(data, context):
    return None if data is None else data[:-1]
"""
RAISING_HANDLER = """\
def handle(data, context):
    if data is not None:
        raise KeyError("vocabulary")
"""

# Each needs a key of `model-config.yaml`: `asyncCommunication: true`, `continuousBatching: true`.
ASYNC_HANDLER = """\
import asyncio

class Handler:
    def initialize(self, context):
        pass

    async def handle(self, data, context):
        await asyncio.sleep(0.01)
        if "bad" in data:
            raise ValueError("bad")
        return [item.upper() + p.get("mark", "") for item, p in zip(data, context.instance_parameters)]
"""
COUNTING_HANDLER = """\
class Handler:
    def initialize(self, context):
        context.cache = {}

    def handle(self, data, context):
        answers = []
        for item, name in zip(data, context.request_ids.values(), strict=True):
            n = context.cache[name] = context.cache.get(name, 0) + 1
            if item == "fails late" and n == 2:
                raise ValueError("late")
            context.stopping_criteria.append(lambda _, n=n, most=len(item): n >= most)
            answers.append(f"{item}{n}")
        return answers
"""


def archive(
    handler: str = ECHO_HANDLER,
    *,
    config: str = "",
    files: Mapping[str, str | bytes] | None = None,
    runtime: str = "python",
    **manifest: str,
) -> bytes:
    """The content of an archive of the model `model`, as torch-model-archiver would write it.

    Args:
        handler: The source of its `handler.py`.
        config: Its `model-config.yaml`; empty: it has none.
        files: What else is in it, by name.
        runtime: `runtime` of its manifest.
        manifest: Laid over what its manifest says of the model.
    """
    model = {"modelName": "model", "modelVersion": "1.0", "handler": "handler.py"}
    members: dict[str, str | bytes] = {"handler.py": handler, **(files or {})}
    if config:
        model["configFile"] = "model-config.yaml"
        members["model-config.yaml"] = config
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as mar:
        mar.writestr(
            "MAR-INF/MANIFEST.json", json.dumps({"runtime": runtime, "model": {**model, **manifest}})
        )
        for name, member in members.items():
            mar.writestr(name, member)
    return content.getvalue()


def write_archive(
    folder: Path,
    handler: str = ECHO_HANDLER,
    *,
    config: str = "",
    files: Mapping[str, str | bytes] | None = None,
    runtime: str = "python",
    **manifest: str,
) -> Path:
    """`model.mar` in `folder`, which is made when it is missing; the rest is `archive`'s."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.mar"
    path.write_bytes(archive(handler, config=config, files=files, runtime=runtime, **manifest))
    return path


def rewrite_archive(
    source: Path, target: Path, files: Mapping[str, bytes], without: Collection[str] = ()
) -> None:
    """Copy an archive with other files in it, in place of those of the same name, and some left out."""
    with zipfile.ZipFile(source) as good, zipfile.ZipFile(target, "w") as changed:
        for name in good.namelist():
            if name not in files and name not in without:
                changed.writestr(name, good.read(name))
        for name, content in files.items():
            changed.writestr(name, content)
