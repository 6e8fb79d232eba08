"""JSON Schemas of which equal parts are written once, as components of an OpenAPI document."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

# Keywords that hold schemas by name, in a list, or one (JSON Schema 2020-12, chapter 10).
_BY_NAME = frozenset({"properties", "patternProperties"})
_IN_A_LIST = frozenset({"allOf", "anyOf", "oneOf"})
_ALONE = frozenset({"additionalProperties", "items", "not"})
_COMPONENTS = "#/components/schemas/"


def reference(name: str) -> dict[str, str]:
    """The schema that stands for a component."""
    return {"$ref": _COMPONENTS + name}


def with_shared_parts(schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """The same schemas as components that refer to each other: S1, S2 and so on are parts of several.

    A schema of a task that writes says of forty parameters in which places each may be given: written out it
    is a quarter of a megabyte, of which two thirds are said before.

    Args:
        schemas: By name; those with the `$id` of their own resource stay as they are.
    """
    uses = Counter[str]()
    waiting = list(schemas.values())
    while waiting:
        schema = waiting.pop()
        written = _written(schema)
        uses[written] += 1
        if uses[written] == 1:
            waiting += _parts(schema)
    return _Components(schemas, uses).all()


class _Components:
    """The components of a document; parts become ones where that makes it shorter.

    Args:
        schemas: By name.
        uses: In how many places of different schemas each stands, by how it is written out.
    """

    def __init__(self, schemas: Mapping[str, Schema], uses: Mapping[str, int]) -> None:
        self._schemas, self._uses = schemas, uses
        longest = len(_written(reference("S999")))  # of what a reference would not shorten
        written = {_written(schema): name for name, schema in schemas.items()}
        self._names = {text: name for text, name in written.items() if len(text) > longest}
        self._shared: dict[str, Schema] = {}

    def all(self) -> dict[str, Schema]:
        return {name: self._shortened(schema) for name, schema in self._schemas.items()} | self._shared

    def _shortened(self, schema: Schema) -> Schema:
        """A schema with references in the place of parts."""
        if "$id" in schema:
            return schema
        shortened = dict(schema)
        for key, value in schema.items():
            if key in _BY_NAME:
                shortened[key] = {name: self._part(part) for name, part in value.items()}
            elif key in _IN_A_LIST:
                shortened[key] = [self._part(part) for part in value]
            elif key in _ALONE:
                shortened[key] = self._part(value)
        return shortened

    def _part(self, schema: Schema | bool) -> Schema | bool:
        if isinstance(schema, bool):
            return schema
        written = _written(schema)
        if written not in self._names:
            shortened = self._shortened(schema)
            name = f"S{len(self._shared) + 1}"
            uses, length = self._uses[written], len(_written(shortened))
            if uses * length <= uses * len(_written(reference(name))) + length:
                return shortened
            self._names[written], self._shared[name] = name, shortened
        return reference(self._names[written])


def _parts(schema: Schema) -> Iterator[Schema]:
    """The schemas in a schema that are objects."""
    for key, value in schema.items() if "$id" not in schema else ():
        parts = value.values() if key in _BY_NAME else value if key in _IN_A_LIST else [value]
        if key in _BY_NAME | _IN_A_LIST | _ALONE:
            yield from (part for part in parts if not isinstance(part, bool))


def _written(schema: Schema) -> str:
    return json.dumps(schema, separators=(",", ":"))
