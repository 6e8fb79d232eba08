"""Names of objects in Cloud Storage: https://cloud.google.com/storage/docs/objects#naming."""

from vertex_torchserve.errors import Problem

LONGEST_NAME_BYTES = 1024
_RESERVED = ".well-known/acme-challenge/"


def object_name_problem(name: object) -> Problem | None:
    """Why no object can have this name; None when one can."""
    wrong = _wrong(name)
    if wrong is None:
        return None
    shown = repr(name) if len(repr(name)) <= 80 else f"{repr(name)[:60]}..."
    return Problem(
        f"{shown} is not an object's name: it {wrong}; accepted are 1 to {LONGEST_NAME_BYTES} bytes of UTF-8 "
        "without line breaks.",
        "Correct the name.",
    )


def _wrong(name: object) -> str | None:
    if not isinstance(name, str) or not name:
        return "is no text, or empty"
    size = len(name.encode(errors="surrogatepass"))
    problems = {
        f"has {size} bytes": size > LONGEST_NAME_BYTES,
        "is not valid Unicode": any("\ud800" <= character <= "\udfff" for character in name),
        "has a line break in it": "\r" in name or "\n" in name,
        "is '.' or '..'": name in {".", ".."},
        f"starts with {_RESERVED!r}": name.startswith(_RESERVED),
    }
    return next((problem for problem, is_so in problems.items() if is_so), None)
