"""The JSON Schemas of a task, as they are published with a model."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hf_handler.registry import task_class
from hf_handler.schema import Schema, record

if TYPE_CHECKING:
    from hf_handler.interface import Interface


def schemas(name: str) -> dict[str, Schema]:
    """Return the JSON Schemas of a task: `instance`, `parameters`, `prediction`.

    Raises:
        ValueError: There is no such task.
    """
    return task_class(name).interface.schemas()


def parameters_schema(interface: "Interface") -> Schema:
    """Return the schema of the parameters of a call."""
    return record({}, with_aliases(interface, interface.parameters))


def instance_schema(interface: "Interface") -> Schema:
    """Return the schema of an instance in any of its spellings."""
    main, value = interface.main, interface.fields[interface.main]
    parameters = parameters_schema(interface)
    beside = {"parameters": parameters, **parameters["properties"]}
    named = [named_fields(interface, form, beside) for form in interface.forms]
    bare = [value] if (main,) in interface.forms else []
    wrapped = record({"inputs": {"anyOf": [*bare, *named]}}, beside)
    return {"anyOf": [*bare, *named, wrapped]}


def with_aliases(interface: "Interface", schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """Return schemas under all the names of what they are of."""
    other = {name: schemas[meant] for name, meant in interface.aliases.items() if meant in schemas}
    return {**schemas, **other}


def named_fields(interface: "Interface", form: Sequence[str], beside: Mapping[str, Schema]) -> Schema:
    """Return the schema of an object that has the fields of `form`, each under any of its names."""
    fields = with_aliases(interface, interface.fields)
    aliases = interface.aliases
    names = {key: [key, *(name for name in aliases if aliases[name] == key)] for key in form}
    schema = record({key: fields[key] for key in form if len(names[key]) == 1}, {**fields, **beside})
    choices = [
        {"anyOf": [{"required": [name]} for name in names[key]]} for key in form if len(names[key]) > 1
    ]
    return {**schema, "allOf": choices} if choices else schema
