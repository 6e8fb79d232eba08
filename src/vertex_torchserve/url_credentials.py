"""Names and passwords in the URLs of a text."""

import re

# Up to the last `@` before the path, so that a password may hold one.
_CREDENTIALS = re.compile(r"(?<=://)[^/?#\s]+@")


def without_credentials(text: str) -> str:
    """A text with `****` for the name and the password in each URL, as pip writes it."""
    return _CREDENTIALS.sub("****@", text)
