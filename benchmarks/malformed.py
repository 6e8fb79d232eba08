"""Malformed request bodies, the same for the same seed."""

import json
from collections.abc import Callable, Iterator
from random import Random

WORDS = ("instances", "parameters", "text", "data", "body", "b64", "null", "predictions")


def malformed_bodies(random: Random, count: int) -> Iterator[bytes]:
    """Bodies of every kind in turns; none is a request that must be answered with 200."""
    kinds = (
        _noise, _cut_off, _not_an_object, _no_instances, _instances_no_list, _instances_no_list_by_word,
        _wrong_parameters, _not_utf_8, _deep, _broken_token, _empty,
    )  # fmt: skip
    for number in range(count):
        yield kinds[number % len(kinds)](random)


def _value(random: Random, depth: int = 3) -> object:
    """Any JSON value."""
    makers: list[Callable[[], object]] = [
        lambda: None,
        lambda: random.choice([True, False]),
        lambda: random.randint(-(10**30), 10**30),
        lambda: random.uniform(-1e300, 1e300),
        lambda: _text(random),
    ]
    if depth:
        makers += [
            lambda: [_value(random, depth - 1) for _ in range(random.randrange(4))],
            lambda: {_text(random): _value(random, depth - 1) for _ in range(random.randrange(4))},
        ]
    return random.choice(makers)()


def _text(random: Random) -> str:
    letters = 'aZ0 "\\/\n\t\0é東😀\u202e{}[]'
    made = "".join(random.choice(letters) for _ in range(random.randrange(20)))
    return random.choice([made, *WORDS[2:]])


def _valid(random: Random) -> bytes:
    return json.dumps({"instances": [_text(random) for _ in range(random.randrange(1, 5))]}).encode()


def _noise(random: Random) -> bytes:
    return b"\xff" + random.randbytes(random.randrange(200))


def _cut_off(random: Random) -> bytes:
    body = _valid(random)
    return body[: random.randrange(1, len(body))]


def _not_an_object(random: Random) -> bytes:
    value = _value(random)
    return json.dumps([value] if isinstance(value, dict) else value).encode()


def _no_instances(random: Random) -> bytes:
    return json.dumps({f"{_text(random)} ": _value(random) for _ in range(random.randrange(4))}).encode()


def _instances_no_list(random: Random) -> bytes:
    value = _value(random)
    return json.dumps({"instances": {"value": value} if isinstance(value, list) else value}).encode()


def _instances_no_list_by_word(random: Random) -> bytes:
    return b'{"instances": %s}' % random.choice([b"null", b"true", b'"hello"', b"3", b"{}", b"1e999"])


def _wrong_parameters(random: Random) -> bytes:
    value = random.choice([[], "text", 3, True, [{}]])
    return json.dumps({"instances": [_text(random)], "parameters": value}).encode()


def _not_utf_8(random: Random) -> bytes:
    return b'{"instances": ["' + bytes([random.choice([0xC3, 0xFF, 0x80, 0xED])]) + b'"]}'


def _deep(random: Random) -> bytes:
    depth = random.choice([50, 500, 5_000, 50_000])
    return b'{"instances": ' + b"[" * depth  # never closed


def _broken_token(random: Random) -> bytes:
    body = bytearray(b'{"instances": ["text", 1, null, {"text": "a"}]}')
    position = random.choice([index for index, byte in enumerate(body) if byte in b'{}[]:,"'])
    body[position : position + 1] = random.choice([b"", b"\0", b"<", b";;"])
    return bytes(body)


def _empty(random: Random) -> bytes:
    return random.choice([b"", b" ", b"\n", b"{}", b"[]", b"null", b"\xef\xbb\xbf{}"])
