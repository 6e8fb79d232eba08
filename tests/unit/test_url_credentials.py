"""Names and passwords of URLs don't reach a message."""

import pytest

from vertex_torchserve.url_credentials import without_credentials


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("git+https://me:secret@example.com/x.git", "git+https://****@example.com/x.git"),
        ("git+https://me:secret@example.com/x.git@v1", "git+https://****@example.com/x.git@v1"),
        ("x @ https://token@example.com/x-1.tar.gz", "x @ https://****@example.com/x-1.tar.gz"),
        ("see https://me:p@ss@a/simple, http://b@c", "see https://****@a/simple, http://****@c"),
        ("git+https://example.com/x.git@v1", "git+https://example.com/x.git@v1"),
        ("https://example.com?mail=a@b", "https://example.com?mail=a@b"),
    ],
)
def test_they_are_hidden(text: str, shown: str) -> None:
    assert without_credentials(text) == shown
