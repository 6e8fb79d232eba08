"""What a compiled Java class refers to, for each of its methods (JVM specification, chapter 4)."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_CLASS_IN_DESCRIPTOR = re.compile(r"L([^;<>:]+)[;<]")
_UTF8, _LONG, _DOUBLE, _CLASS, _STRING, _NAME_AND_TYPE, _HANDLE, _METHOD_TYPE = 1, 5, 6, 7, 8, 12, 15, 16
_MEMBERS = (9, 10, 11)  # field, method, method of an interface
_DYNAMIC = (17, 18)
# How many bytes an entry of the constant pool has behind its tag, and how they are read.
_LAYOUTS = {
    **dict.fromkeys((3, 4), ">i"),
    **dict.fromkeys((_LONG, _DOUBLE), ">q"),
    **dict.fromkeys((_CLASS, _STRING, _METHOD_TYPE, 19, 20), ">H"),
    **dict.fromkeys((*_MEMBERS, _NAME_AND_TYPE, *_DYNAMIC), ">HH"),
    _HANDLE: ">BH",
}
_LDC, _TABLESWITCH, _LOOKUPSWITCH, _WIDE, _IINC = 0x12, 0xAA, 0xAB, 0xC4, 0x84
# Instructions whose first operand is the index, in two bytes, of an entry of the constant pool.
_WITH_INDEX = {0x13, 0x14, *range(0xB2, 0xBC), 0xBD, 0xC0, 0xC1, 0xC5}
# How many bytes of operands the instructions have that have any, but for those whose length varies.
_OPERANDS = {
    **dict.fromkeys((0x10, 0x12, 0xBC, 0xA9, *range(0x15, 0x1A), *range(0x36, 0x3B)), 1),
    **dict.fromkeys((0x11, 0x13, 0x14, 0x84, *range(0x99, 0xA9), *range(0xB2, 0xB9)), 2),
    **dict.fromkeys((0xBB, 0xBD, 0xC0, 0xC1, 0xC6, 0xC7), 2),
    0xC5: 3,
    **dict.fromkeys((0xB9, 0xBA, 0xC8, 0xC9), 4),
}


@dataclass
class References:
    """What some code names: classes (`java/lang/Object`), methods as (class, name), texts."""

    classes: set[str] = field(default_factory=set)
    methods: set[tuple[str, str]] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)

    def add(self, other: "References") -> None:
        """Take in what `other` has."""
        self.classes |= other.classes
        self.methods |= other.methods
        self.texts |= other.texts


@dataclass(frozen=True)
class ClassFile:
    """A class: what its head and its fields refer to, and what each method does.

    Attributes:
        own: Superclass, interfaces, types of fields.
        methods: By name and descriptor, `<init>()V`; what the signature and the code refer to.
    """

    own: References
    methods: dict[str, References]


def read_class(content: bytes) -> ClassFile:
    """What the class file refers to. Annotations don't count: the JVM passes over those it can't find."""
    return _Reader(content).read()


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 8  # behind the magic number and the version
        self._pool: list[Any] = [None]
        self._bootstraps: list[list[int]] = []

    def read(self) -> ClassFile:
        self._read_pool()
        self._take(">HH")
        own = References()
        (parent,) = self._take(">H")
        for index in (parent, *self._indexes()):
            self._refer(index, own)
        fields = [self._member() for _ in range(self._take(">H")[0])]
        members = [self._member() for _ in range(self._take(">H")[0])]
        self._bootstraps = list(self._bootstrap_arguments(self._attributes()))
        for _name, descriptor, attributes in fields:
            self._describe(descriptor, attributes, own)
        methods = {}
        for name, descriptor, attributes in members:
            methods[name + descriptor] = found = References()
            self._describe(descriptor, attributes, found)
            if "Code" in attributes:
                self._follow(attributes["Code"], found)
        return ClassFile(own, methods)

    def _take(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from(layout, self._content, self._at)
        self._at += struct.calcsize(layout)
        return values

    def _indexes(self) -> tuple[int, ...]:
        return self._take(f">{self._take('>H')[0]}H")

    def _read_pool(self) -> None:
        (count,) = self._take(">H")
        while len(self._pool) < count:
            (tag,) = self._take(">B")
            if tag == _UTF8:
                (length,) = self._take(">H")
                text = self._content[self._at : self._at + length].decode("utf-8", "replace")
                self._at += length
                self._pool.append(text)
            else:
                self._pool.append((tag, *self._take(_LAYOUTS[tag])))
            if tag in (_LONG, _DOUBLE):
                self._pool.append(None)  # they take two places

    def _member(self) -> tuple[str, str, dict[str, bytes]]:
        _flags, name, descriptor = self._take(">HHH")
        return self._pool[name], self._pool[descriptor], self._attributes()

    def _attributes(self) -> dict[str, bytes]:
        attributes = {}
        for _ in range(self._take(">H")[0]):
            name, length = self._take(">HI")
            attributes[self._pool[name]] = self._content[self._at : self._at + length]
            self._at += length
        return attributes

    def _bootstrap_arguments(self, attributes: dict[str, bytes]) -> Iterator[list[int]]:
        content = attributes.get("BootstrapMethods", b"\0\0")
        words = struct.unpack(f">{len(content) // 2}H", content)
        at = 1
        for _ in range(words[0]):
            method, count = words[at : at + 2]
            yield [method, *words[at + 2 : at + 2 + count]]
            at += 2 + count

    def _describe(self, descriptor: str, attributes: dict[str, bytes], found: References) -> None:
        found.classes.update(_CLASS_IN_DESCRIPTOR.findall(descriptor))
        if "Signature" in attributes:
            (index,) = struct.unpack(">H", attributes["Signature"])
            found.classes.update(_CLASS_IN_DESCRIPTOR.findall(self._pool[index]))
        for index in struct.unpack(
            f">{len(attributes.get('Exceptions', b'')) // 2}H", attributes.get("Exceptions", b"")
        )[1:]:
            self._refer(index, found)

    def _follow(self, code: bytes, found: References) -> None:
        (length,) = struct.unpack_from(">I", code, 4)
        for index in _indexes_in(code[8 : 8 + length]):
            self._refer(index, found)
        (handlers,) = struct.unpack_from(">H", code, 8 + length)
        for number in range(handlers):
            self._refer(struct.unpack_from(">H", code, 10 + length + 8 * number + 6)[0], found)

    def _refer(self, index: int, found: References) -> None:
        entry = self._pool[index] if index else None
        if not isinstance(entry, tuple):
            return
        tag = entry[0]
        if tag == _CLASS:
            name = self._pool[entry[1]]
            found.classes.update(_CLASS_IN_DESCRIPTOR.findall(name) if name.startswith("[") else [name])
        elif tag == _STRING:
            found.texts.add(self._pool[entry[1]])
        elif tag == _METHOD_TYPE:
            found.classes.update(_CLASS_IN_DESCRIPTOR.findall(self._pool[entry[1]]))
        elif tag == _HANDLE:
            self._refer(entry[2], found)
        elif tag in _DYNAMIC:
            found.classes.update(_CLASS_IN_DESCRIPTOR.findall(self._pool[self._pool[entry[2]][2]]))
            for argument in self._bootstraps[entry[1]]:
                self._refer(argument, found)
        elif tag in _MEMBERS:
            self._refer(entry[1], found)
            name, descriptor = (self._pool[part] for part in self._pool[entry[2]][1:])
            found.classes.update(_CLASS_IN_DESCRIPTOR.findall(descriptor))
            found.methods.add((self._pool[self._pool[entry[1]][1]], name + descriptor))


def _indexes_in(code: bytes) -> Iterator[int]:
    """The entries of the constant pool that the instructions name."""
    at = 0
    while at < len(code):
        instruction = code[at]
        if instruction == _LDC:
            yield code[at + 1]
        elif instruction in _WITH_INDEX:
            yield struct.unpack_from(">H", code, at + 1)[0]
        if instruction in (_TABLESWITCH, _LOOKUPSWITCH):
            table = at + 4 - at % 4  # padded to a multiple of four
            if instruction == _TABLESWITCH:
                low, high = struct.unpack_from(">ii", code, table + 4)
                at = table + 12 + 4 * (high - low + 1)
            else:
                at = table + 8 + 8 * struct.unpack_from(">i", code, table + 4)[0]
        elif instruction == _WIDE:
            at += 6 if code[at + 1] == _IINC else 4
        else:
            at += 1 + _OPERANDS.get(instruction, 0)
