"""What an archive's instances, parameters and predictions look like, published for the Model Registry.

Only the reference handler can tell.
"""

import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vertex_torchserve import gcs
from vertex_torchserve.handler_interface.asking import JsonSchema, UntoldError, ask_handler

_log = logging.getLogger(__name__)


def predict_schemata(mar_path: Path) -> Mapping[str, JsonSchema]:
    """JSON Schemas of an archive's `instance`, `parameters` and `prediction`; empty when they can't be told.

    None are returned when the archive's handler is not, byte for byte, the reference handler of this release
    (other code is not run here); and, with a warning, when the handler can't choose a task for the archive.

    Args:
        mar_path: An archive that `read_manifest` accepts.
    """
    try:
        told = ask_handler(mar_path)
    except UntoldError as reason:
        _log.warning("no schemas are published with the model: the handler can't tell them: %s", reason)
        return {}
    return told.schemas if told else {}


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

    There `null` is no type but `nullable`, an exclusive bound is a flag beside the bound, base64 is a format,
    properties have names, not patterns, and their schemas are objects
    (https://spec.openapis.org/oas/v3.0.2#schema-object).
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
            converted[key] = {
                name: {"not": {}} if entry is False else as_openapi(entry) for name, entry in value.items()
            }
        elif key == "patternProperties":
            named = {name: entry for pattern, entry in value.items() for name in _alternatives(pattern)}
            converted |= as_openapi({"properties": named})
        elif isinstance(value, Mapping) and key in {"items", "additionalProperties", "not"}:
            converted[key] = as_openapi(value)
        elif key == "exclusiveMinimum":
            converted |= {"minimum": value, "exclusiveMinimum": True}
        elif key == "contentEncoding":
            converted["format"] = "byte"
        else:
            converted[key] = value
    return converted


def _alternatives(pattern: str) -> list[str]:
    """The names that a pattern stands for, which the reference handler writes as `^(one|another)$`."""
    return pattern.removeprefix("^(").removesuffix(")$").split("|")


def _plain_dumper() -> Any:
    """A YAML writer without anchors: Vertex AI need not know YAML's aliases."""
    import yaml

    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
            return True

    return Plain
