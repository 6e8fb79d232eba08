"""A file that `torch.save` or `torch.jit.save` wrote: its kind, and what its pickle names, without torch.

torch writes an uncompressed zip: `NAME/data.pkl`, tensors in `NAME/data/`, and for TorchScript `NAME/code/`
and `NAME/constants.pkl` too. Before torch 1.6 a state dict was a row of pickles. Only the pickle is read,
never a tensor, and nothing is unpickled.
"""

import io
import itertools
import pickletools
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import BinaryIO

# A thousand tensors take some hundred kilobytes; reading a megabyte takes a second.
MOST_PICKLE_BYTES = 1 << 20
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_ZIP = b"PK\x03\x04"
# torch/serialization.py: what a file of the old format begins with, as a pickled number.
_OLD_MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_FAULTS = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError, OSError)
_TEXT_OPCODES = (
    "SHORT_BINUNICODE",
    "BINUNICODE",
    "UNICODE",
    "BINUNICODE8",
    "STRING",
    "SHORT_BINSTRING",
    "BINSTRING",
)
_MEMO_OPCODES = ("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT")


class Kind(Enum):
    """What a serialized file is."""

    TORCHSCRIPT = auto()
    PICKLE = auto()  # of torch.save: a state dict, or a whole module
    LFS_POINTER = auto()  # three lines of text in place of the file
    OTHER = auto()


@dataclass(frozen=True)
class TorchFile:
    """What is known of a serialized file.

    Attributes:
        kind: What it is.
        pickle: The pickle of its object, or what could be read of it.
        is_whole: Whether all of the pickle was read.
    """

    kind: Kind
    pickle: bytes = b""
    is_whole: bool = True

    @classmethod
    def read(cls, file: BinaryIO, can_seek: bool) -> "TorchFile":
        """Look at a file's beginning and, in a zip that can be read anywhere, its directory.

        Args:
            file: The file, at its start.
            can_seek: Whether its end can be read without reading all of it.
        """
        begin = file.read(512)
        if begin.startswith(_LFS_POINTER):
            return cls(Kind.LFS_POINTER)
        if begin.startswith(_ZIP):
            return cls._of_zip(file) if can_seek else cls._of_stream(begin, file)
        if begin.startswith(_OLD_MAGIC):
            return cls._of_pickles(begin + file.read(MOST_PICKLE_BYTES))
        return cls(Kind.OTHER)

    @classmethod
    def _of_zip(cls, file: BinaryIO) -> "TorchFile":
        try:
            with zipfile.ZipFile(file) as archive:
                names = [name for name in archive.namelist() if name.count("/") == 1]
                data = next((name for name in names if name.endswith("/data.pkl")), None)
                if data is None:
                    return cls(Kind.OTHER)
                with archive.open(data) as stream:
                    content = stream.read(MOST_PICKLE_BYTES + 1)
        except _FAULTS:
            return cls(Kind.OTHER)
        is_script = any(name.endswith("/constants.pkl") for name in names)
        kind = Kind.TORCHSCRIPT if is_script else Kind.PICKLE
        return cls(kind, content[:MOST_PICKLE_BYTES], len(content) <= MOST_PICKLE_BYTES)

    @classmethod
    def _of_stream(cls, begin: bytes, file: BinaryIO) -> "TorchFile":
        """By its first member: torch.save writes the pickle first, torch.jit.save tensors or code."""
        start = _LOCAL_HEADER.size
        name_length, extra_length = _LOCAL_HEADER.unpack(begin[:start])[1:]
        name = begin[start : start + name_length].decode(errors="replace")
        content = begin[start + name_length + extra_length :] + file.read(MOST_PICKLE_BYTES)
        if name.endswith("/data.pkl"):
            return cls._of_pickles(content, skipped=0)
        is_script = any(part in name for part in ("/code/", "/data/", "/constants.pkl"))
        return cls(Kind.TORCHSCRIPT if is_script else Kind.OTHER)

    @classmethod
    def _of_pickles(cls, content: bytes, skipped: int = 3) -> "TorchFile":
        """Of pickles behind each other: in the old format ours is the fourth."""
        stream = io.BytesIO(content)
        try:
            for _ in range(skipped):
                _to_stop(stream)
            start = stream.tell()
            _to_stop(stream)
        except ValueError:
            return cls(Kind.PICKLE, content, is_whole=False)
        return cls(Kind.PICKLE, content[start : stream.tell()])

    def global_names(self) -> set[str]:
        """The `module.name`s that the pickle loads, as torch writes them; none when it is not whole."""
        if not self.is_whole:
            return set()
        try:
            return set(_global_names(self.pickle))
        except ValueError:
            return set()


def _to_stop(stream: BinaryIO) -> None:
    for _ in pickletools.genops(stream):
        pass


def _global_names(content: bytes) -> Iterator[str]:
    """Names of GLOBAL, and of STACK_GLOBAL: the last two texts before it, which may come from the memo."""
    memo: dict[int, str] = {}
    texts: list[str] = []
    last = ""
    numbers = itertools.count()
    for opcode, argument, _ in pickletools.genops(content):
        if opcode.name in _TEXT_OPCODES:
            last = argument if isinstance(argument, str) else str(argument)
            texts.append(last)
        elif opcode.name in _MEMO_OPCODES:
            key = next(numbers) if opcode.name == "MEMOIZE" else int(str(argument))
            memo[key] = last
        elif opcode.name in ("GET", "BINGET", "LONG_BINGET"):
            texts.append(memo.get(int(str(argument)), ""))
        elif opcode.name in ("GLOBAL", "INST"):
            yield ".".join(str(argument).split(" ", 1))
        elif opcode.name == "STACK_GLOBAL":
            yield ".".join(texts[-2:])
        if opcode.name not in (*_TEXT_OPCODES, *_MEMO_OPCODES):
            last = ""
        del texts[:-4]
