"""The page of messages has what the code says, with what to do."""

from pathlib import Path

from scripts.site.messages_page import messages_of, page

_CODE = """
raise InputError(
    Problem(f"{name}={_shown(value)} is not a port", "correct " + name), Problem("both", "give one")
)
raise ServingError(f"{path}: no answer from {self.host} in {SECONDS:.0f} s")
raise ValueError("of somebody else")
"""


def test_messages_with_their_fixes(tmp_path: Path) -> None:
    file = tmp_path / "code.py"
    file.write_text(_CODE)
    assert sorted(messages_of(file)) == [
        ("<name>=<value> is not a port", ""),
        ("<path>: no answer from <host> in <seconds> s", ""),
        ("both", "give one"),
    ]


def test_the_page_has_those_of_the_package() -> None:
    text = page()
    assert "is not a port; 1 to 65535 is accepted`" in text
    assert text.count("\n- `") > 200
