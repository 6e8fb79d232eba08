"""The JSON Schemas of a task, as they are published with a model."""

from collections.abc import Mapping, Sequence

from hf_handler.registry import task_class as class_of
from hf_handler.schema import Schema, record
from hf_handler.task import Task


def schemas(name: str) -> dict[str, Schema]:
    """Return the JSON Schemas of a task: `instance`, `parameters`, `prediction`.

    Raises:
        ValueError: There is no such task.
    """
    task_class = class_of(name)
    main, value = next(iter(task_class.fields.items()))
    accepted = {**task_class.parameters, **aliased(task_class, task_class.parameters)}
    parameters = record({}, accepted)
    beside = {"parameters": parameters, **accepted}
    named = [named_fields(task_class, way, beside) for way in task_class.ways()]
    bare = [value] if (main,) in task_class.ways() else []
    wrapped = record({"inputs": {"anyOf": [*bare, *named]}}, beside)
    return {
        "instance": {"anyOf": [*bare, *named, wrapped]},
        "parameters": parameters,
        "prediction": task_class.prediction,
    }


def aliased(task_class: type[Task], schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """Return those of `schemas` that have another name, by it."""
    return {name: schemas[meant] for name, meant in task_class.aliases.items() if meant in schemas}


def named_fields(task_class: type[Task], way: Sequence[str], beside: Mapping[str, Schema]) -> Schema:
    """Return the schema of an object that has the fields of `way`, each under any of its names."""
    fields = {**task_class.fields, **aliased(task_class, task_class.fields)}
    names = {key: [key, *(name for name, meant in task_class.aliases.items() if meant == key)] for key in way}
    schema = record({key: fields[key] for key in way if len(names[key]) == 1}, {**fields, **beside})
    choices = [{"anyOf": [{"required": [name]} for name in names[key]]} for key in way if len(names[key]) > 1]
    return {**schema, "allOf": choices} if choices else schema
