"""The JSON Schemas of a task, as they are published with a model: they accept what `Interface.read` accepts.

An instance can name a thing in several places: a field by each of its names, beside `inputs` or inside it; a
parameter there too, in `parameters`, and in an object of `generate`'s in there. A schema has to say that each
is given once, so most of it is about places. A place is written as the schema of an instance that uses it.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hf_handler.registry import task_class
from hf_handler.schema import Schema, or_null, record
from hf_handler.settings import Settings

if TYPE_CHECKING:
    from hf_handler.interface import Interface


def schemas(name: str, settings: Settings | None = None) -> dict[str, Schema]:
    """Return the JSON Schemas of a task: `instance`, `parameters`, `prediction`.

    Args:
        name: Of the task.
        settings: What an operator has set, which the bounds in the schemas come from; None: the defaults.

    Raises:
        ValueError: There is no such task.
    """
    return task_class(name).interface.bounded(settings or Settings()).schemas()


def tell_schemas(interface: "Interface", file: Path) -> None:
    """Write the JSON Schemas of a loaded model into a file, and the fields of bodies without `instances`.

    Args:
        interface: Of the model's task.
        file: Written beside its place and moved there: other workers write the same.
    """
    told = {**interface.schemas(), "bodies": [form.mark for form in interface.request_forms]}
    unfinished = file.with_name(f"{file.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(told))
    unfinished.replace(file)


def instance_schema(interface: "Interface") -> Schema:
    """Return the schema of an instance in any of its spellings, or in a form of another API."""
    main = interface.fields[interface.main]
    named = {**_by_every_name(interface, interface.fields), **_parameters_by_every_name(interface)}
    one_name = _by_one_name(interface)
    spelled_out = record(
        {},
        {
            **named,
            "inputs": {"anyOf": [main, all_of(record({}, named), one_name)]},
            "parameters": {"anyOf": [parameters_schema(interface), {"type": "null"}]},
        },
    )
    places = {name: _places_of_field(interface, name) for name in interface.fields}
    choosing = [name for name in interface.fields if any(name in form for form in interface.forms)]
    forms = [
        {"allOf": [exactly_one(places[name]) if name in form else none_of(places[name]) for name in choosing]}
        for form in interface.forms
    ]
    once = [at_most_one(places[name]) for name in interface.fields if name not in choosing]
    once += [*one_name, *(_in_one_place(interface, name) for name in interface.parameters)]
    return {
        "anyOf": [
            *(form.schema() for form in interface.request_forms),
            *([main] if (interface.main,) in interface.forms else []),
            {**spelled_out, "allOf": [forms[0] if len(forms) == 1 else {"anyOf": forms}, *once]},
        ]
    }


def parameters_schema(interface: "Interface") -> Schema:
    """Return the schema of the parameters of a call."""
    named = _parameters_by_every_name(interface)
    one_name = _by_one_name(interface)
    nest = all_of(record({}, named), one_name)
    schema = record({}, {**named, **{name: nest for nests in interface.nests for name in nests}})
    once = [at_most_one([given([nest]) for nest in nests]) for nests in interface.nests]
    once += one_name
    for names in _names_of_parameters(interface) if interface.nests else ():
        nested = [{"not": _lacked_in_nests(nests, names)} for nests in interface.nests]
        once.append(at_most_one([given(names), *nested], _lacked(interface, names)))
    return all_of(schema, once)


def all_of(schema: Schema, others: Sequence[Schema]) -> Schema:
    """Return the schema of what fits a schema and others."""
    return {**schema, "allOf": list(others)} if others else schema


def given(names: Sequence[str]) -> Schema:
    """Return the schema of an object that has one of these keys, or several."""
    choices: list[Schema] = [{"required": [name]} for name in names]
    return choices[0] if len(choices) == 1 else {"anyOf": choices}


def lacks(names: Sequence[str]) -> Schema:
    """Return the schema of what has none of these keys: of an object, and of anything else."""
    return {"properties": dict.fromkeys(names, False)}


def holds(key: str, schema: Schema) -> Schema:
    """Return the schema of an object that has a key whose value fits another schema."""
    return {"required": [key], "properties": {key: schema}}


def inside(key: str, place: Schema) -> Schema:
    """Return the place that is `place` within the object under a key."""
    return holds(key, {"type": "object", **place})


def exactly_one(places: Sequence[Schema]) -> Schema:
    """Return the schema of what fits one of several, and no other of them."""
    return places[0] if len(places) == 1 else {"oneOf": list(places)}


def none_of(places: Sequence[Schema]) -> Schema:
    """Return the schema of what fits none of several."""
    return {"not": {"anyOf": list(places)}}


def at_most_one(places: Sequence[Schema], none: Schema | None = None) -> Schema:
    """Return the schema of what fits one of several, or none.

    Args:
        places: What is chosen from.
        none: What fits none of them, where that can be said in fewer words.
    """
    if len(places) == 2:  # the same in fewer words
        return {"not": {"allOf": list(places)}}
    return {"oneOf": [*places, none or none_of(places)]}


def _places_of_field(interface: "Interface", name: str) -> list[Schema]:
    names = _names(interface, name)
    as_inputs = [holds("inputs", interface.fields[name])] if name == interface.main else []
    beside = [given([one]) for one in names]
    return [*beside, *(inside("inputs", place) for place in beside), *as_inputs]


def _by_one_name(interface: "Interface") -> list[Schema]:
    """Return the schemas of an object that has no parameter by two of its names."""
    several = [names for names in _names_of_parameters(interface) if len(names) > 1]
    return [at_most_one([given([name]) for name in names]) for names in several]


def _in_one_place(interface: "Interface", name: str) -> Schema:
    """Return the schema of an instance that lacks a parameter in two of three places, so that it has it once.

    The places are beside the fields, beside them in `inputs`, and in `parameters`, whose own schema says how
    it is used.
    """
    names = _names(interface, name)
    inputs = {"inputs": lacks(names)}
    parameters = {"parameters": _lacked(interface, names)}
    one_of_these = [{"properties": inputs}, {"properties": parameters}]
    return {"anyOf": [{**lacks(names), "anyOf": one_of_these}, {"properties": {**inputs, **parameters}}]}


def _lacked(interface: "Interface", names: Sequence[str]) -> Schema:
    """Return the schema of parameters that have none of these names, themselves and in their nests."""
    return all_of(lacks(names), [_lacked_in_nests(nests, names) for nests in interface.nests])


def _lacked_in_nests(nests: Sequence[str], names: Sequence[str]) -> Schema:
    """Return the schema of parameters that have none of these names in the objects of one kind."""
    return {"patternProperties": {f"^({'|'.join(nests)})$": lacks(names)}}


def _names(interface: "Interface", name: str) -> list[str]:
    """Return all the names of a field or parameter."""
    return [name, *(other for other, meant in interface.aliases.items() if meant == name)]


def _names_of_parameters(interface: "Interface") -> list[list[str]]:
    """Return all the names of each parameter."""
    return [_names(interface, name) for name in interface.parameters]


def _parameters_by_every_name(interface: "Interface") -> dict[str, Schema]:
    """Return the schemas of parameters under all their names; null is what a client leaves open."""
    schemas = _by_every_name(interface, interface.parameters)
    return {name: or_null(schema) for name, schema in schemas.items()}


def _by_every_name(interface: "Interface", schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """Return schemas under all the names of what they are of."""
    return {name: schema for meant, schema in schemas.items() for name in _names(interface, meant)}
