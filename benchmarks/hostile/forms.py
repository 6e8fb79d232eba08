"""Forms that cost more to decode than to send."""

from collections.abc import Callable

from .attack import Attack, outcomes, posted

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'


def _form(name: str, sends: str, right: int, content_type: str, body: Callable[[], bytes]) -> Attack:
    return Attack(name, sends, lambda: posted(body(), content_type), outcomes(right))


def _file() -> bytes:
    head = b'--b\r\nContent-Disposition: form-data; name="data"; filename="a.json"\r\n\r\n'
    return head + b'{"instances": ["' + b"a" * 10_000_000 + b'"]}' + b"\r\n--b--\r\n"


FORMS = (
    _form("form-of-a-million-fields", "`a=&` a million times", 413, URLENCODED, lambda: b"a=&" * 1_000_000),
    _form("form-of-empty-fields", "three million `&`", 413, URLENCODED, lambda: b"&" * 3_000_000),
    _form("form-field-of-10-MB", "one field of ten million `+`", 413, URLENCODED, lambda: b"+" * 10_000_000),
    _form("form-of-170000-parts", "170,000 parts", 413, MULTIPART, lambda: PART * 170_000),
    _form(
        "form-part-header-of-9.9-MB", "a header name of 9.9 MB in a part", 413, MULTIPART,
        lambda: b"--b\r\n" + b"a" * 9_900_000,
    ),
    _form(
        "form-part-of-1.9-million-headers", "1.9 million headers in a part", 413, MULTIPART,
        lambda: b"--b\r\n" + b"a:b\r\n" * 1_900_000,
    ),
    _form(
        "form-in-a-part", "a part that is a form of 500,000 parts", 400, MULTIPART,
        lambda: b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n" + b"--c\r\n\r\nx\r\n" * 500_000,
    ),
    _form(
        "form-boundary-that-repeats-itself", "500,000 parts with the boundary `-----`", 413,
        "multipart/form-data; boundary=-----", lambda: b"-------\r\n\r\n" * 500_000,
    ),
    _form(
        "form-without-boundary", "100,000 parts, no boundary", 400, "multipart/form-data",
        lambda: PART * 100_000,
    ),
    _form(
        "form-part-without-name", "a part whose headers name no field", 400, MULTIPART,
        lambda: b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
    ),
    _form("form-file-of-10-MB", "a file of 10 MB, which is accepted", 200, MULTIPART, _file),
)  # fmt: skip
