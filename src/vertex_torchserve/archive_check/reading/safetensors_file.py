"""The header of a safetensors file, and whether the file is as long as it says.

https://huggingface.co/docs/safetensors: 8 bytes with the header's length, the header in JSON, then the
tensors.
"""

import struct
from dataclasses import dataclass
from typing import BinaryIO

from vertex_torchserve.serving.archive.bounded_text import UnreadableError, read_json, shortened

# The format allows 100 MB; a model of a thousand layers has 2 MB.
_MOST_HEADER_BYTES = 16 << 20
_LENGTH = struct.Struct("<Q")
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E5M2FNUZ": 8, "F8_E4M3FNUZ": 8,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64,
    "F64": 64, "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip


@dataclass(frozen=True)
class SafetensorsFile:
    """What a header says.

    Attributes:
        types: The type of each tensor, by its name.
        fault: Why the file can't be loaded; None when it can.
    """

    types: dict[str, str]
    fault: str | None = None

    @classmethod
    def read(cls, file: BinaryIO, size: int) -> "SafetensorsFile":
        """Read a file's header, and compare it with the file's size.

        Args:
            file: The file, at its start.
            size: Its bytes.
        """
        begin = file.read(_LENGTH.size)
        if len(begin) < _LENGTH.size:
            return cls({}, f"has {size:,} bytes; a safetensors file begins with the 8 bytes of a length")
        (length,) = _LENGTH.unpack(begin)
        if _LENGTH.size + length > size:
            said = f"says that its header has {length:,} bytes, and has {size:,} itself"
            return cls({}, f"{said}: it is cut off, or no safetensors file")
        if length > _MOST_HEADER_BYTES:
            return cls({}, f"has a header of {length:,} bytes; at most {_MOST_HEADER_BYTES:,} are accepted")
        try:
            header = read_json(file.read(length), _MOST_HEADER_BYTES)
        except UnreadableError as error:
            return cls({}, f"has a header that {error}")
        if not isinstance(header, dict):
            return cls({}, f"has a header that holds {shortened(repr(header))} and no object")
        header.pop("__metadata__", None)
        return cls._of_tensors(header, size - _LENGTH.size - length)

    @classmethod
    def _of_tensors(cls, header: dict[str, object], data_bytes: int) -> "SafetensorsFile":
        types: dict[str, str] = {}
        last = 0
        for name, about in header.items():
            try:
                kind, shape, (start, end) = about["dtype"], about["shape"], about["data_offsets"]  # type: ignore[index]
                count = 1
                for each in shape:
                    count *= each
                wanted = -(-count * _BITS[kind] // 8) if kind in _BITS else end - start
            except (TypeError, KeyError, ValueError):
                return cls(types, f"has a header without type, shape or place of {shortened(name)}")
            if end - start != wanted or start < 0:
                return cls(
                    types,
                    f"gives {shortened(name)} {end - start:,} bytes; {kind} of {shape} takes {wanted:,}",
                )
            types[name] = kind
            last = max(last, end)
        if last != data_bytes:
            return cls(
                types,
                f"has {data_bytes:,} bytes of tensors; its header says {last:,}: it is cut off, or changed",
            )
        return cls(types)
