"""Read and write YAML within limits: of TorchServe's parser, and of what aliases stand for.

TorchServe reads `model-config.yaml` with snakeyaml 2.1, and drops the whole file without a word to the client
when it nests more than 50 collections, uses more than 50 aliases of collections, or has more than 3,145,728
characters (`LoaderOptions.java`).
"""

import math
from typing import Any

import yaml

from vertex_torchserve.serving.archive.bounded_text import (
    MOST_DIGITS,
    UnreadableError,
    require_levels,
    require_size,
    shortened,
    too_deep,
    too_many_digits,
)

MOST_LEVELS = 50
MOST_WRITTEN_CHARACTERS = 3 << 20
# What a text may hold once each alias is replaced by what it stands for. pyyaml takes seconds for so many.
MOST_VALUES = 50_000
MOST_CHARACTERS = 1 << 20
_MOST_MESSAGE_CHARACTERS = 500
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


def read_yaml(text: bytes, most_bytes: int) -> Any:
    """The value of a YAML text, as `yaml.safe_load` gives it.

    Raises:
        UnreadableError: It is not YAML of the safe types, or beyond a limit.
    """
    require_size(text, most_bytes)
    try:
        value = yaml.load(text, _Loader)  # noqa: S506 (a safe loader)
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # the last two of escapes such as \UFFFFFFFF
        raise UnreadableError(f"is not YAML: {shortened(str(error), _MOST_MESSAGE_CHARACTERS)}") from None
    require_levels(value, MOST_LEVELS)
    return value


def write_yaml(content: dict[str, Any]) -> str:
    """The YAML text of a mapping, without aliases.

    Raises:
        UnreadableError: It is longer than TorchServe reads.
    """
    text: str = yaml.dump(content, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=math.inf)
    if len(text) > MOST_WRITTEN_CHARACTERS:
        raise UnreadableError(
            f"takes {len(text):,} characters when each alias is replaced by what it stands for; at most "
            f"{MOST_WRITTEN_CHARACTERS:,} are accepted"
        )
    return text


# Outside double quotes pyyaml writes them as they are, and reads them as a line's end or a space.
_LINE_ENDS = frozenset("\x85\u2028\u2029")


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        if _LINE_ENDS.isdisjoint(data):
            return super().represent_str(data)
        return self.represent_scalar("tag:yaml.org,2002:str", data, style='"')


_Dumper.add_representer(str, _Dumper.represent_str)


class _Loader(yaml.SafeLoader):
    """Counts while it composes, before anything is constructed: an alias counts as what it stands for."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self._levels = self._values = self._characters = 0
        self._sizes: dict[yaml.Node, tuple[int, int]] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose one node and all below it, and count what they hold."""
        values, characters = self._values, self._characters
        if self.check_event(yaml.AliasEvent):
            named = super().compose_node(parent, index)
            if named is None or named not in self._sizes:
                raise UnreadableError(
                    "holds an alias of a list or mapping that it stands in itself; write out what is meant"
                )
            self._count(*self._sizes[named])
            return named
        levels = self._levels
        self._levels += self.check_event(yaml.CollectionStartEvent)
        if self._levels > MOST_LEVELS:
            raise too_deep(MOST_LEVELS)
        node = super().compose_node(parent, index)
        self._count(1, len(node.value) if isinstance(node, yaml.ScalarNode) else 0)
        self._levels = levels
        if node is not None:
            self._sizes[node] = (self._values - values, self._characters - characters)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Construct one value; its line and its type are said when it has not the form of its type."""
        if isinstance(node, yaml.ScalarNode) and node.tag in _NUMBERS and len(node.value) > MOST_DIGITS:
            raise too_many_digits(node.value)
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError, ArithmeticError) as error:
            kind, line = node.tag.rpartition(":")[2], node.start_mark.line + 1
            raise UnreadableError(
                f"holds {shortened(repr(node.value))} in line {line}, which is no {shortened(kind)}; correct "
                "it, or quote it when text is meant"
            ) from error

    def _count(self, values: int, characters: int) -> None:
        self._values += values
        self._characters += characters
        for count, most, what in (
            (self._values, MOST_VALUES, "values"),
            (self._characters, MOST_CHARACTERS, "characters of text"),
        ):
            if count > most:
                raise UnreadableError(
                    f"holds more than {most:,} {what}, each alias counted as what it "
                    "stands for; fewer are accepted"
                )
