"""Take out of KServe's CRDs what `examples/kubernetes/kserve.yaml` uses, for a test to check it by.

The CRDs describe every field of a pod and have two megabytes. Of each object in the example this keeps the
fields that the example sets, with their types and bounds, and which fields are required; every other field is
refused. A field that is new in the example needs this program once more:

    git clone --depth 1 --branch v0.20.0 https://github.com/kserve/kserve
    python -m scripts.kserve_schema kserve/config/crd/full/serving.kserve.io_*services.yaml \
        kserve/config/crd/full/serving.kserve.io_servingruntimes.yaml

It ends with code 1, and writes nothing, for a field that KServe doesn't have.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = _ROOT / "examples" / "kubernetes" / "kserve.yaml"
SCHEMAS = _ROOT / "testbed" / "kserve_schemas.json"
_KEPT = (
    "type",
    "required",
    "enum",
    "format",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "pattern",
    "anyOf",
)


def main(crds: list[str]) -> int:
    """Write the schemas, one by `apiVersion` and `kind`; returns the exit code."""
    known = dict(schema for path in crds for schema in _schemas_of(Path(path)))
    kept = {}
    try:
        for document in yaml.safe_load_all(EXAMPLE.read_text()):
            name = f"{document['apiVersion']}/{document['kind']}"
            kept[name] = used_part(known[name], document, name)
    except KeyError as error:
        sys.stderr.write(f"KServe's CRDs don't have {error}\n")
        return 1
    SCHEMAS.write_text(f"{json.dumps(kept, indent=1)}\n")
    return 0


def used_part(schema: Mapping[str, Any], value: Any, path: str) -> dict[str, Any]:
    """The part of a schema that a value uses.

    Raises:
        KeyError: The value has a field, named by its path, that the schema doesn't.
    """
    kept: dict[str, Any] = {key: schema[key] for key in _KEPT if key in schema}
    if schema.get("x-kubernetes-int-or-string"):
        kept.pop("type", None)
    if isinstance(value, dict) and "additionalProperties" in schema:
        kept["additionalProperties"] = {"type": schema["additionalProperties"].get("type", "string")}
    elif isinstance(value, dict) and "properties" in schema:
        kept["additionalProperties"] = False
        kept["properties"] = {}
        for name, entry in value.items():
            if name not in schema["properties"]:
                raise KeyError(f"{path}.{name}")
            kept["properties"][name] = used_part(schema["properties"][name], entry, f"{path}.{name}")
    elif isinstance(value, list):
        items = [used_part(schema["items"], entry, f"{path}[]") for entry in value]
        kept["items"] = _together(items)
    return kept


def _together(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    """One schema for all entries of a list, which may set different fields."""
    merged = dict(schemas[0])
    for schema in schemas[1:]:
        for name, entry in schema.get("properties", {}).items():
            known = merged["properties"]
            known[name] = _together([known[name], entry]) if name in known else entry
    return merged


def _schemas_of(crd: Path) -> list[tuple[str, dict[str, Any]]]:
    definition = yaml.safe_load(crd.read_text())["spec"]
    group, kind = definition["group"], definition["names"]["kind"]
    return [
        (f"{group}/{version['name']}/{kind}", _with_metadata(version["schema"]["openAPIV3Schema"]))
        for version in definition["versions"]
    ]


def _with_metadata(schema: dict[str, Any]) -> dict[str, Any]:
    """A CRD leaves its metadata to Kubernetes."""
    texts = {"type": "object", "additionalProperties": {"type": "string"}}
    metadata = {"name": {"type": "string"}, "labels": texts, "annotations": texts}
    of_kubernetes = {"type": "object", "required": ["name"], "properties": metadata}
    return {**schema, "properties": {**schema["properties"], "metadata": of_kubernetes}}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
