"""What an archive's instances, parameters and predictions look like, published for the Model Registry.

Only the reference handler can tell. Its code runs in a process of its own, because it imports torch.
"""

import importlib.util
import json
import logging
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vertex_torchserve import gcs
from vertex_torchserve.packaged_files import (
    REFERENCE_HANDLER_FILE,
    REFERENCE_HANDLER_PACKAGE,
    reference_handler,
)
from vertex_torchserve.serving.archive.manifest import Manifest, read_manifest
from vertex_torchserve.serving.archive.model_config import MOST_CONFIG_BYTES, parse_model_config

_log = logging.getLogger(__name__)

_SECONDS = 300.0
# The handler chooses its task by files of these kinds, none of which is larger; other members stay packed.
_SUFFIXES = (".json", ".md")
_LARGEST_BYTES = 32 << 20
_PROGRAM = """
import json, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from hf_handler.choice import choose_task
from hf_handler.published_schemas import schemas
from hf_handler.settings import read_settings
settings = read_settings(json.load(sys.stdin))
print(json.dumps(schemas(choose_task(settings.task, Path(sys.argv[2])), settings)))
"""

JsonSchema = Mapping[str, Any]


def predict_schemata(mar_path: Path) -> dict[str, JsonSchema]:
    """JSON Schemas of an archive's `instance`, `parameters` and `prediction`; empty when they can't be told.

    None are returned when the archive's handler is not, byte for byte, the reference handler of this release
    (other code is not run here); and, with a warning, when torch or transformers is not installed, or
    the handler can't choose a task for the archive.

    Args:
        mar_path: An archive that `read_manifest` accepts.
    """
    manifest = read_manifest(mar_path)
    with zipfile.ZipFile(mar_path) as archive, tempfile.TemporaryDirectory(prefix="vts-") as folder:
        if not _is_reference_handler(archive, manifest):
            return {}
        if not all(importlib.util.find_spec(name) for name in ("torch", "transformers")):
            _log.warning("no schemas are published with the model: that takes torch and transformers here")
            return {}
        for member in archive.infolist():
            if member.filename.endswith(_SUFFIXES) and member.file_size <= _LARGEST_BYTES:
                archive.extract(member, folder)
        return _asked(folder, _settings(archive, manifest))


def _is_reference_handler(archive: zipfile.ZipFile, manifest: Manifest) -> bool:
    """Whether the archive holds this release's handler: each of its files, byte for byte, and no other."""
    files = reference_handler()
    prefix = f"{REFERENCE_HANDLER_PACKAGE}/"
    package = {name for name in archive.namelist() if name.startswith(prefix) and not name.endswith("/")}
    return (
        manifest.handler == REFERENCE_HANDLER_FILE
        and package | {REFERENCE_HANDLER_FILE} == set(files)
        and all(archive.read(name) == file.read_bytes() for name, file in files.items())
    )


def _asked(folder: str, settings: Any) -> dict[str, JsonSchema]:
    handlers = reference_handler()[REFERENCE_HANDLER_FILE].parent
    program = [sys.executable, "-P", "-c", _PROGRAM, str(handlers), folder]
    try:
        answer = subprocess.run(
            program, input=json.dumps(settings), capture_output=True, text=True, check=True, timeout=_SECONDS
        )
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip().splitlines() or [f"it ended with {error.returncode}"])[-1]
        _log.warning("no schemas are published with the model: the handler can't tell them: %s", reason)
        return {}
    except subprocess.TimeoutExpired:
        _log.warning("no schemas are published with the model: no answer after %g s", _SECONDS)
        return {}
    schemas: dict[str, JsonSchema] = json.loads(answer.stdout)
    return schemas


def upload_schemata(schemas: Mapping[str, JsonSchema], folder: gcs.GcsPath) -> dict[str, str]:
    """Write `<kind>.yaml` for each schema; returns the fields of `aiplatform.Model.upload` that name them.

    Args:
        schemas: From `predict_schemata`.
        folder: Not the artifact folder, which holds the archive and nothing else.
    """
    import yaml

    with tempfile.TemporaryDirectory(prefix="vts-") as local:
        for kind, schema in schemas.items():
            file = Path(local, f"{kind}.yaml")
            file.write_text(yaml.dump(as_openapi(schema), Dumper=_plain_dumper(), sort_keys=False))
            gcs.upload_file(file, folder.child(file.name))
    return {f"{kind}_schema_uri": str(folder.child(f"{kind}.yaml")) for kind in schemas}


# Null alone, where it can't be a flag beside a type.
_NULL = {"type": "object", "nullable": True, "enum": [None]}


def as_openapi(schema: JsonSchema) -> dict[str, Any]:
    """A JSON Schema as OpenAPI 3.0.2 has it, which is what Vertex AI reads.

    There `null` is no type but `nullable`, an exclusive bound is a flag beside the bound, and base64 is a
    format (https://spec.openapis.org/oas/v3.0.2#schema-object).
    """
    converted: dict[str, Any] = {}
    for key, value in schema.items():
        if key in {"anyOf", "allOf", "oneOf"}:
            kept = [as_openapi(choice) for choice in value if choice != {"type": "null"}]
            if len(kept) == len(value):
                converted[key] = kept
            elif len(kept) == 1 and not {"allOf", "enum"} & kept[0].keys():
                converted |= {"nullable": True} | kept[0]
            else:  # null would have to fit the other keywords too
                converted[key] = [*kept, _NULL]
        elif key == "properties":
            converted[key] = {name: as_openapi(entry) for name, entry in value.items()}
        elif isinstance(value, Mapping) and key in {"items", "additionalProperties", "not"}:
            converted[key] = as_openapi(value)
        elif key == "exclusiveMinimum":
            converted |= {"minimum": value, "exclusiveMinimum": True}
        elif key == "contentEncoding":
            converted["format"] = "byte"
        else:
            converted[key] = value
    return converted


def _settings(archive: zipfile.ZipFile, manifest: Manifest) -> Any:
    if manifest.config_file is None:
        return None
    with archive.open(manifest.config_file) as member:
        text = member.read(MOST_CONFIG_BYTES + 1)
    return parse_model_config(text, manifest.config_file).content.get("handler")


def _plain_dumper() -> Any:
    """A YAML writer without anchors: Vertex AI need not know YAML's aliases."""
    import yaml

    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
            return True

    return Plain
