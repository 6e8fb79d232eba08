"""What a task takes and answers, declared once: requests are read by it, JSON Schemas are made of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from hf_handler.bounds import set_by
from hf_handler.items import Query
from hf_handler.media.files import is_file
from hf_handler.published_schemas import instance_schema, parameters_schema
from hf_handler.request_forms.form import RequestForm
from hf_handler.schema import (
    INPUT_TEXT,
    Fields,
    Parameters,
    Refused,
    Schema,
    check,
    check_length,
    list_of,
    takes_null,
    verify_keywords,
)
from hf_handler.toolkit_shape import Shape

# Objects within `parameters` that hold parameters too, as pipelines, and servers made of them, take what is
# for `generate` and what is for the tokenizer. Each has several names.
FOR_GENERATE = ("generate_kwargs", "generation_parameters", "generate_parameters")
FOR_TOKENIZER = ("tokenizer_kwargs", "tokenize_kwargs", "tokenizer_encode_kwargs")

# A value, its name here, and where the client wrote it, for messages: `parameters.max_tokens`.
Sent = tuple[str, str, Any]


@dataclass(frozen=True, kw_only=True)
class Interface:
    """What a task takes and answers.

    Attributes:
        fields: JSON Schema of each input by name; the first is the main one: what a bare instance means.
        forms: The sets of fields that make an instance. A field that is in none of them is optional.
        media: Fields that hold files; they are read as bytes.
        several: Fields of which an instance may have a list, as pipelines take it; the answer is a list.
        aliases: Other names of fields and parameters, each with the name used here.
        parameters: JSON Schema of each parameter; its `default` stands in for one that isn't sent.
        prediction: JSON Schema of one prediction.
        example: An instance that every model of the task can answer; it is answered at load.
        request_forms: Of other APIs, which are taken too.
        toolkit: How huggingface-inference-toolkit answers, where that is another form.
        answers_as_toolkit: Whether an operator has asked for that form.

    Raises:
        ValueError: A schema uses a keyword that `schema.check` doesn't know.
    """

    prediction: Schema
    fields: Mapping[str, Schema] = field(default_factory=lambda: {"text": INPUT_TEXT})
    forms: tuple[tuple[str, ...], ...] = (("text",),)
    media: tuple[str, ...] = ()
    several: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Schema] = field(default_factory=dict)
    example: Any = "warm up"
    request_forms: tuple[RequestForm, ...] = ()
    toolkit: Shape | None = None
    answers_as_toolkit: bool = False

    def __post_init__(self) -> None:
        for name, schema in {**self.fields, **self.parameters, "prediction": self.prediction}.items():
            verify_keywords(schema, name)

    @cached_property
    def main(self) -> str:
        """The field that a bare instance means."""
        return next(iter(self.fields))

    @cached_property
    def _forms(self) -> set[frozenset[str]]:
        return set(map(frozenset, self.forms))

    @cached_property
    def _in_forms(self) -> frozenset[str]:
        """The fields that are in a form; the others are optional."""
        return frozenset().union(*self.forms)

    @cached_property
    def bare_text(self) -> Schema | None:
        """The schema of a bare text that is an instance; None where it is none."""
        main = self.fields[self.main]
        texts = [choice for choice in main.get("anyOf", [main]) if choice.get("type") == "string"]
        return texts[0] if texts and (self.main,) in self.forms and not self.takes_file else None

    @cached_property
    def takes_file(self) -> bool:
        """Whether the main field is a file."""
        return self.main in self.media

    @cached_property
    def nests(self) -> tuple[tuple[str, ...], ...]:
        """The objects in `parameters` that hold parameters too, each by all its names."""
        generate = (FOR_GENERATE,) if "max_new_tokens" in self.parameters else ()
        return (*generate, FOR_TOKENIZER) if "truncation" in self.parameters else generate

    @cached_property
    def defaults(self) -> Parameters:
        """The parameters that have a default."""
        return {name: schema["default"] for name, schema in self.parameters.items() if "default" in schema}

    def bounded(self, settings: object) -> "Interface":
        """Return the same with its bounds, and its answers, as an operator has set them.

        Args:
            settings: A `Settings`.
        """
        return replace(
            self,
            fields=set_by(settings, self.fields),
            parameters=set_by(settings, self.parameters),
            answers_as_toolkit=getattr(settings, "response", None) == "huggingface",
        )

    def schemas(self) -> dict[str, Schema]:
        """Return the JSON Schemas of what is taken and answered: `instance`, `parameters`, `prediction`."""
        return {
            "instance": instance_schema(self),
            "parameters": parameters_schema(self),
            "prediction": self._answer,
        }

    @property
    def _answer(self) -> Schema:
        if self.answers_as_toolkit and self.toolkit is not None:
            return self.toolkit.prediction
        if not self.several:
            return self.prediction
        return {"anyOf": [*self.prediction.get("anyOf", [self.prediction]), list_of(self.prediction)]}

    def read(
        self, instance: Any, parameters: Parameters, defaults: Parameters, open_file: Callable[[Any], bytes]
    ) -> Query:
        """Read an instance in any of its spellings.

        Args:
            instance: The value of the main field, or an object: the fields by name, or `inputs` (the main
                field's value, or an object of fields); beside them `parameters`, or parameters by name.
            parameters: Those of the call; the instance's own win. One that is null is not sent, unless null
                means something for it.
            defaults: Values of parameters that aren't sent.
            open_file: Makes bytes of what stands for a file.

        Raises:
            Refused: It is something else, or gives something twice.
        """
        if type(instance) is str and self.bare_text:  # the fast path
            return Query({self.main: check(instance, self.bare_text, self.main)},
                         self.read_parameters(parameters, defaults))  # fmt: skip
        given = once(self._entries(instance))
        fields = {
            name: self._opened(name, value, open_file)
            if name in self.media
            else check(value, self.fields[name], name)
            for name, value in given.items()
            if name in self.fields
        }
        if self._in_forms.intersection(fields) not in self._forms:
            raise Refused(self._shape(f"got {', '.join(fields) or 'none of them'}"))
        own = {name: value for name, value in given.items() if name not in fields}
        if not own:
            return Query(fields, self.read_parameters(parameters, defaults))
        call = self._sent(once(self._parameters(parameters)))
        return Query(fields, self._checked(call | self._sent(own), defaults))

    def parted(self, fields: Fields, is_one: Callable[[list[Any]], bool]) -> list[Fields]:
        """Return the fields of each instance of a list of instances; none where there is one instance.

        Args:
            fields: As they were read. What is no list is the same for all.
            is_one: Whether a list is the value of one instance.

        Raises:
            Refused: Two lists have different lengths.
        """
        lists = {
            name: values
            for name in self.several
            if isinstance(values := fields.get(name), list) and not is_one(values)
        }
        lengths = {name: len(values) for name, values in lists.items()}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            raise Refused(f"lists must have as many entries as each other; {told}")
        rows = zip(*lists.values(), strict=True)
        return [{**fields, **dict(zip(lists, row, strict=True))} for row in rows]

    def read_parameters(self, parameters: Parameters, defaults: Parameters) -> Parameters:
        """Check parameters and add the defaults of those not sent.

        Raises:
            Refused: One is unknown, is given twice, or has another type or range.
        """
        if not parameters:
            return defaults
        return self._checked(self._sent(once(self._parameters(parameters))), defaults)

    def _sent(self, named: Parameters) -> Parameters:
        """Return parameters without those that are null as clients send what they leave open."""
        return {
            name: value
            for name, value in named.items()
            if value is not None or takes_null(self.parameters[name])
        }

    def _checked(self, named: Parameters, defaults: Parameters) -> Parameters:
        return defaults | {name: check(value, self.parameters[name], name) for name, value in named.items()}

    def _entries(self, instance: Any) -> Iterator[Sent]:
        """Yield the fields and parameters of an instance."""
        if is_file(instance) or not isinstance(instance, dict):
            yield self.main, self.main, instance
            return
        for key, value in instance.items():
            if key == "parameters":
                if value is not None:
                    yield from self._parameters(check(value, {"type": "object"}, key), "parameters.")
            elif key != "inputs":
                yield key, self._named(key), value
            elif is_file(value) or not isinstance(value, dict):
                yield key, self.main, value
            else:
                yield from ((f"inputs.{inner}", self._named(inner), entry) for inner, entry in value.items())

    def _named(self, key: str) -> str:
        """Return the name of a field, or of a parameter beside the fields."""
        name = self.aliases.get(key, key)
        if name not in self.fields and name not in self.parameters:
            raise Refused(self._shape(f"got the unknown {key[:40]!r}"))
        return name

    def _parameters(self, parameters: Parameters, place: str = "") -> list[Sent]:
        """Return parameters by the names used here."""
        nests = {name: names[0] for names in self.nests for name in names if name in parameters}
        once((place + nest, first, nest) for nest, first in nests.items())
        sent = [(place + key, key, value) for key, value in parameters.items() if key not in nests]
        for nest in nests:
            inner = check(parameters[nest], {"type": "object"}, nest)
            sent += [(f"{place}{nest}.{key}", key, value) for key, value in inner.items()]
        named = [(where, self.aliases.get(key, key), value) for where, key, value in sent]
        unknown = sorted(name[:40] for _, name, _ in named if name not in self.parameters)
        if unknown:
            accepted = ", ".join(self.parameters) or "none"
            raise Refused(f"unknown parameters: {', '.join(unknown)}; accepted: {accepted}")
        return named

    def _opened(self, name: str, value: Any, open_file: Callable[[Any], bytes]) -> bytes | list[bytes]:
        if isinstance(value, list) and value:
            for choice in self.fields[name]["anyOf"]:
                if choice.get("type") == "array":
                    check_length(value, choice, name)
                    return [open_file(one) for one in value]
        return open_file(value)

    def _shape(self, problem: str) -> str:
        forms = ", or ".join(" and ".join(form) for form in self.forms)
        optional = [name for name in self.fields if name not in self._in_forms]
        more = f" ({', '.join(optional)} optional)" if optional else ""
        return f"an object must have inputs, or {forms}{more}, and beside them only parameters; {problem}"


def once(entries: Iterable[Sent]) -> dict[str, Any]:
    """Return values by name.

    Raises:
        Refused: Two have the same name.
    """
    places: dict[str, str] = {}
    values: dict[str, Any] = {}
    for place, name, value in entries:
        if name in values:
            raise Refused(f"{name} is given twice: as {places[name]} and as {place}; send one of them")
        places[name], values[name] = place, value
    return values
