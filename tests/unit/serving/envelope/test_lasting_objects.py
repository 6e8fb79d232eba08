"""What a load makes for the worker's whole life is left out of the garbage collector's passes."""

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from vertex_torchserve.serving.envelope.lasting_objects import leave_out_lasting_objects


class Node:
    """Garbage that only the collector finds: it refers to itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """The collector of this process as it was."""
    yield
    gc.unfreeze()
    gc.enable()


def loader_class(handler: Any) -> Any:
    class Loader:
        def _load_handler_file(self, name: str) -> Any:
            return handler(name)

        def load(self, name: str, *, envelope: str) -> tuple[Any, str]:
            return self._load_handler_file(name), envelope

    leave_out_lasting_objects(Loader)
    return Loader


def test_no_pass_is_made_while_a_handler_is_imported_and_what_it_made_is_left_out() -> None:
    made: list[Any] = []

    def handler(name: str) -> str:
        assert not gc.isenabled()
        made.extend([] for _ in range(1000))
        return name

    before = gc.get_freeze_count()
    assert loader_class(handler)().load("handler", envelope="instances") == ("handler", "instances")
    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + 1000


def test_what_a_load_leaves_behind_is_collected() -> None:
    left = []

    class Loader(loader_class(lambda name: name)):  # type: ignore[misc]
        pass

    def load(self: Any, name: str) -> str:
        left.append(weakref.ref(Node()))
        return name

    Loader.load = load
    leave_out_lasting_objects(Loader)
    gc.disable()  # no pass of Python's own in between
    Loader().load("handler")
    assert left[0]() is None


def test_a_handler_that_can_t_be_imported_leaves_the_collector_at_work() -> None:
    def handler(name: str) -> str:
        raise ImportError(name)

    with pytest.raises(ImportError):
        loader_class(handler)().load("handler", envelope="instances")
    assert gc.isenabled()
