"""The body of a request that comes in several pieces, each read into the same buffer."""

import hashlib
from email.message import Message
from io import BytesIO

from vertex_torchserve.emulator.storage.request_body import Body


def test_all_pieces_are_kept() -> None:
    content = hashlib.shake_128(b"body").digest((5 << 20) + 7)
    headers = Message()
    headers["Content-Length"] = str(len(content))
    assert Body(BytesIO(content), headers).whole() == content
