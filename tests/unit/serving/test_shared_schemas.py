"""Equal parts of schemas are written once, and what is accepted stays the same."""

from typing import Any

from vertex_torchserve.serving.shared_schemas import with_shared_parts

LONG = {"type": "string", "enum": ["a label that is as long as a sentence", "another one"]}


def test_a_part_of_several_schemas_is_written_once() -> None:
    row = {"type": "object", "properties": {"first": LONG, "second": LONG}, "additionalProperties": False}
    shared = with_shared_parts({"Rows": {"type": "array", "items": row}, "Row": {"anyOf": [row, LONG]}})
    assert shared == {
        "Rows": {"type": "array", "items": {"$ref": "#/components/schemas/S2"}},
        "Row": {"anyOf": [{"$ref": "#/components/schemas/S2"}, {"$ref": "#/components/schemas/S1"}]},
        "S1": LONG,
        "S2": {
            "type": "object",
            "properties": {
                "first": {"$ref": "#/components/schemas/S1"},
                "second": {"$ref": "#/components/schemas/S1"},
            },
            "additionalProperties": False,
        },
    }


def test_a_component_that_is_part_of_another_is_referred_to() -> None:
    shared = with_shared_parts({"Label": LONG, "Answer": {"not": LONG}})
    assert shared == {"Label": LONG, "Answer": {"not": {"$ref": "#/components/schemas/Label"}}}


def test_what_is_short_or_no_schema_stays() -> None:
    short: dict[str, Any] = {"type": "string"}
    schema = {
        "properties": {"enum": short, "other": short},
        "enum": [{"properties": LONG}, {"properties": LONG}],
        "default": {"not": LONG},
        "patternProperties": {"^(one|other)$": False},
        "additionalProperties": {},
    }
    assert with_shared_parts({"One": schema, "Two": {}}) == {"One": schema, "Two": {}}


def test_a_resource_of_its_own_stays_as_it_is() -> None:
    own = {"$id": "https://example.org/label", "properties": {"one": LONG, "two": LONG}}
    assert with_shared_parts({"Own": own}) == {"Own": own}
