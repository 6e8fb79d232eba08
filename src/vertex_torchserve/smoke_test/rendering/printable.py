"""Texts of a server, of which a handler writes some, made fit to be shown."""

import re

# Colours and cursor movements (ECMA-48, control sequences).
_SEQUENCE = re.compile(r"\x1b\[[0-9;:<=>?]*[ -/]*[@-~]")
# Everything but what XML 1.0 may hold, without the characters that turn the direction of a line.
_UNFIT = re.compile("[^\t\n\x20-\x7e\xa0-\u2029\u202f-\u2065\u206a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def printable(text: str) -> str:
    """The text without control sequences; what XML can't hold becomes U+FFFD."""
    return _UNFIT.sub("\ufffd", _SEQUENCE.sub("", text.replace("\r\n", "\n")))
