"""What a form of requests is, and how the one of an instance is found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from hf_handler.replies import Reply
from hf_handler.schema import NULL, TEXT, Fields, Refused, Schema, check, or_null, record, verify_keywords

# The field with which Vertex AI's clients say the form of an instance.
FORMAT = "@requestFormat"


@dataclass(frozen=True)
class Asked:
    """What a request of another API means here.

    Attributes:
        instance: In the handler's own form.
        reply: Makes the answer.
    """

    instance: Any
    reply: Reply


class RequestForm:
    """A form of requests. Subclasses declare the attributes and write `asked`.

    Attributes:
        name: What `@requestFormat` says.
        mark: The field that no other form of the same task has: it tells the form of a whole body.
        fields: JSON Schema of each field. One that is null is not sent.
    """

    name: ClassVar[str]
    mark: ClassVar[str]
    fields: ClassVar[Mapping[str, Schema]]

    def __init_subclass__(cls) -> None:
        for name, schema in cls.fields.items():
            verify_keywords(schema, name)

    def schema(self) -> Schema:
        """Return the JSON Schema of an instance of this form."""
        optional = {name: or_null(schema) for name, schema in self.fields.items() if name != self.mark}
        named = {"type": "string", "enum": [self.name]}
        return record({FORMAT: named, self.mark: self.fields[self.mark]}, optional)

    def read(self, body: Fields) -> Asked:
        """Read a request of this form.

        Args:
            body: An instance, or the whole body of a request.

        Raises:
            Refused: It is none, or asks for what this handler can't do; the message names the field.
        """
        sent = {name: value for name, value in body.items() if name != FORMAT}
        unknown = sorted(name[:40] for name in sent if name not in self.fields)
        if unknown:
            raise Refused(f"{self.name} takes no {', '.join(unknown)}; accepted: {', '.join(self.fields)}")
        if self.mark not in sent:
            raise Refused(f"{self.mark} is missing: {self.name} takes it")
        return self.asked(
            {
                name: check(value, self.fields[name], name)
                for name, value in sent.items()
                if value is not None or name == self.mark or self.fields[name] == NULL
            }
        )

    def asked(self, fields: Fields) -> Asked:
        """Return what a request means.

        Args:
            fields: Checked; those that are null left out.

        Raises:
            Refused: It asks for what this handler can't do.
        """
        raise NotImplementedError


def form_of(forms: Sequence[RequestForm], instance: Any, is_body: bool) -> RequestForm | None:
    """Return the form of an instance; None where it is in the handler's own.

    Args:
        forms: That the task takes.
        instance: As it was sent.
        is_body: Whether it is the whole body of its request.

    Raises:
        Refused: Its `@requestFormat` is none of the task's.
    """
    if not isinstance(instance, dict):
        return None
    if FORMAT in instance:
        name = check(instance[FORMAT], TEXT, FORMAT)
        for form in forms:
            if form.name == name:
                return form
        accepted = ", ".join(form.name for form in forms) or "none, this task has its own form only"
        raise Refused(f"{FORMAT} {name[:40]!r} is unknown; accepted: {accepted}")
    return next((form for form in forms if is_body and form.mark in instance), None)
