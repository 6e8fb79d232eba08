"""Instances of a task, made of its interface: valid, nearly valid, in all spellings, things given twice.

What no schema can know stays out: every text is base64 that decodes, as it may stand for a file; there are no
lone surrogates; whole numbers fit 64 bits, and numbers are finite.
"""

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

Values = Mapping[str, st.SearchStrategy[Any]]

TEXT = st.sampled_from(["", "dGhl", "aGk=", "good", "word", "text", "user", "bG9uZ2Vy"])
NUMBER = st.one_of(
    st.integers(-3, 40), st.integers(-(2**63) + 1, 2**63 - 1), st.floats(-1e300, 1e300),
    st.sampled_from([0, 1, 2.0, 0.5, 0.0001, 1000, 1001, 33, -0.0]),
)  # fmt: skip
SCALAR = st.one_of(st.none(), st.booleans(), NUMBER, TEXT)
KEYS = st.sampled_from(["b64", "data", "text", "role", "content", "x"])
ANYTHING = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=2),
    max_leaves=6,
)


def fitting(schema: Any) -> st.SearchStrategy[Any]:
    """Values that a schema accepts, in the keywords that the handler's `check` knows."""
    if "anyOf" in schema:
        return st.one_of(*map(fitting, schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(list(schema["enum"]))
    of_type = BY_TYPE.get(schema.get("type"))
    return of_type(schema) if of_type else ANYTHING


def _fitting_text(schema: Any) -> st.SearchStrategy[Any]:
    least, most = schema.get("minLength", 0), schema.get("maxLength", 8)
    return TEXT.filter(lambda text: least <= len(text) <= most)


def _fitting_whole_number(schema: Any) -> st.SearchStrategy[Any]:
    numbers = st.integers(schema.get("minimum", -5), schema.get("maximum", 400))
    return numbers | numbers.map(float)


def _fitting_number(schema: Any) -> st.SearchStrategy[Any]:
    least = schema.get("minimum", schema.get("exclusiveMinimum", -5))
    return st.floats(least, schema.get("maximum", 400), exclude_min="exclusiveMinimum" in schema)


def _fitting_list(schema: Any) -> st.SearchStrategy[Any]:
    most = min(schema.get("maxItems", 4), 4)
    return st.lists(fitting(schema.get("items", {})), min_size=schema.get("minItems", 0), max_size=most)


def _fitting_object(schema: Any) -> st.SearchStrategy[Any]:
    properties = {key: fitting(entry) for key, entry in schema.get("properties", {}).items()}
    required = {key: properties[key] for key in schema.get("required", ())}
    optional = {key: strategy for key, strategy in properties.items() if key not in required}
    named = st.fixed_dictionaries(required, optional=optional)
    rest = schema.get("additionalProperties", True)
    if rest is False:
        return named
    room = min(schema.get("maxProperties", 2) - len(required), 2)
    more = st.dictionaries(KEYS, ANYTHING if rest is True else fitting(rest), max_size=room)
    return st.builds(lambda first, second: {**second, **first}, named, more)


BY_TYPE: dict[str | None, Callable[[Any], st.SearchStrategy[Any]]] = {
    "string": _fitting_text,
    "integer": _fitting_whole_number,
    "number": _fitting_number,
    "array": _fitting_list,
    "object": _fitting_object,
    "boolean": lambda _: st.booleans(),
    "null": lambda _: st.none(),
}


def near(schema: Any) -> st.SearchStrategy[Any]:
    """Values that a schema accepts, mostly; else anything, or such a value within a list or an object."""
    good = fitting(schema)
    return st.one_of(good, good, good, ANYTHING, st.lists(good, max_size=3), good.map(lambda v: {"data": v}))


def instances(interface: Any) -> st.SearchStrategy[Any]:
    """Instances of a task, each value mostly valid, each name in one place or, now and then, in two."""
    schemas = {**interface.fields, **interface.parameters}
    valid = {name: fitting(schema) for name, schema in schemas.items()}
    return _instances(interface, valid, {name: near(schema) for name, schema in schemas.items()})


@st.composite
def _instances(draw: st.DrawFn, interface: Any, valid: Values, nearly_valid: Values) -> Any:
    if draw(st.integers(0, 9)) == 0:
        return draw(ANYTHING)
    if draw(st.integers(0, 9)) == 0:
        return draw(nearly_valid[interface.main])
    fields = list(draw(st.sampled_from(interface.forms)))
    if draw(st.integers(0, 3)) == 0:
        fields += draw(st.lists(st.sampled_from(list(interface.fields)), max_size=2))
    parameters: list[str] = []
    if interface.parameters:
        parameters = draw(st.lists(st.sampled_from(list(interface.parameters)), max_size=3))
    instance: dict[str, Any] = {}
    careful = draw(st.booleans())  # then values are valid and every name stands once
    if careful:
        fields, parameters = list(dict.fromkeys(fields)), list(dict.fromkeys(parameters))
    for name in [*fields, *parameters]:
        value = draw((valid if careful else nearly_valid)[name])
        _place(draw, instance, interface, name, value)
    if not careful and draw(st.integers(0, 5)) == 0:
        key = draw(st.sampled_from(["parameters", "inputs", "generate_kwargs", "x", "data", interface.main]))
        instance[key] = draw(ANYTHING)
    if draw(st.integers(0, 9)) == 0:
        instance.setdefault("parameters", None)
    return instance


def _place(draw: st.DrawFn, instance: dict[str, Any], interface: Any, name: str, value: Any) -> None:
    """Write a field or a parameter somewhere into an instance."""
    key = draw(st.sampled_from([name, *(key for key, meant in interface.aliases.items() if meant == name)]))
    places = [[], ["inputs"]]
    if name in interface.parameters:
        nests = [nest for names in interface.nests for nest in names[:2]]
        places += [["parameters"], *(["parameters", nest] for nest in nests)]
    if name == interface.main and "inputs" not in instance and draw(st.booleans()):
        instance["inputs"] = value
        return
    target = instance
    for step in draw(st.sampled_from(places)):
        if not isinstance(target.setdefault(step, {}), dict):
            return
        target = target[step]
    target[key] = value
