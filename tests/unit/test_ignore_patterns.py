import pytest

from vertex_torchserve.ignore_patterns import is_ignored


@pytest.mark.parametrize(
    ("name", "pattern", "ignored"),
    [
        ("optimizer.pt", "optimizer.pt", True),
        ("runs/1/optimizer.pt", "optimizer.pt", True),
        ("model.pt", "optimizer.pt", False),
        ("logs/train.log", "*.log", True),
        ("runs/1/events", "runs/*", True),
        ("runs/1/events", "runs", True),
        ("runs/1/events", "runs/", True),
        ("checkpoint-500/model.pt", "checkpoint-*", True),
        ("my-checkpoint-500.pt", "checkpoint-*", False),
        ("Model.pt", "model.pt", False),
        ("model.pt", "", False),
        ("model.pt", ".", False),
        ("model.pt", "/", False),
        ("old/checkpoint-500/a/model.bin", "checkpoint-*", True),
        ("runs/1/events", "runs/1", True),
        ("sub/a.bin", "sub/a.bin", True),
        ("a1.bin", "a[0-9].bin", True),
        ("optimizer.pt.json", "optimizer.pt", False),
        ("runs.txt", "runs", False),
        ("sub/runs2/a", "runs/*", False),
        ("sub/1/a", "1/b", False),
    ],
)
def test_is_ignored(name: str, pattern: str, ignored: bool) -> None:
    assert is_ignored(name, [pattern]) is ignored


def test_any_of_several_patterns_is_enough() -> None:
    assert is_ignored("a.log", ["*.txt", "*.log"])
    assert not is_ignored("a.bin", ["*.txt", "*.log"])
    assert not is_ignored("a.bin", [])
