"""A program: what the reference handler takes and answers for an archive, and what is wrong with requests.

Runs in a process of its own, with the folder of the handlers as PYTHONPATH. A task declares what it takes
when its module is imported; what it computes with is not needed for that, and takes seconds to import or is
not installed. So modules that hold nothing stand in for those libraries.

    python -P program.py FOLDER < '{"settings": ..., "requests": [...]}'

FOLDER holds the archive's small files. Writes one JSON object.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hf_handler.interface import Interface

LIBRARIES = ("torch", "transformers", "numpy")


class _Name(type):
    """A name in a library that is not there: a class, so that it can be a base and an annotation."""

    def __getattr__(cls, name: str) -> Any:
        return _named(name)


def _named(name: str) -> _Name:
    """A class of that name; a call of it, such as `torch.device("cpu")` of a class, takes any arguments."""
    if name.startswith("__"):
        raise AttributeError(name)
    return _Name(name, (), {"__init__": lambda *_, **__: None})


class _EmptyModule(ModuleType):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return _named(name)


class _EmptyLibraries(MetaPathFinder, Loader):
    """Finds an empty module for each of `LIBRARIES` and what is below it."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        return ModuleSpec(fullname, self) if fullname.partition(".")[0] in LIBRARIES else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _EmptyModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


def told(settings: Any, requests: Sequence[dict[str, Any]], folder: Path) -> dict[str, Any]:
    """What the handler says.

    Args:
        settings: The mapping `handler` of the archive's model-config.yaml; None where there is none.
        requests: Each with `instances`, and perhaps `parameters` and `predictions`.
        folder: With the files of the archive by which the handler chooses its task.

    Returns:
        `task`, `example`, `schemas` (JSON Schemas by `instance`, `parameters`, `prediction`) and `faults`, a
        text for each request that can't be used.

    Raises:
        ValueError: The settings can't be used, or the files tell no task.
    """
    from hf_handler.choice import choose_task
    from hf_handler.registry import canonical, task_class
    from hf_handler.settings import read_settings

    chosen = read_settings(settings)
    name = choose_task(chosen.task, folder)
    interface = task_class(name).interface.bounded(chosen)
    return {
        "task": canonical(name),
        "example": interface.example,
        "schemas": interface.schemas(),
        "faults": list(_faults(interface, requests)),
    }


def _faults(interface: "Interface", requests: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The first fault of each request."""
    from hf_handler.schema import Refused, check

    schema = interface.schemas()["prediction"]
    for number, request in enumerate(requests, start=1):
        where = f"request {number}: " if len(requests) > 1 else ""
        place = "parameters: "
        predictions = request.get("predictions") or []
        try:
            interface.read_parameters(request.get("parameters") or {}, {})
            for index, instance in enumerate(request["instances"]):
                place = f"instance {index}: "
                in_its_own_form = _read(interface, instance)
                place = ""
                if predictions and in_its_own_form:
                    check(predictions[index], schema, f"predictions[{index}]")
        except Refused as refused:
            yield f"{where}{place}{refused}"


def _read(interface: "Interface", instance: Any) -> bool:
    """Read an instance; whether it is in the handler's own form, in which its prediction then is, too."""
    from hf_handler.request_forms.form import form_of

    form = form_of(interface.request_forms, instance, is_body=False)
    interface.read(form.read(instance).instance if form else instance, {}, {}, _file)
    return form is None


def _file(value: Any) -> bytes:
    """The bytes of a file in an instance; what an URL leads to is left to the server."""
    from hf_handler.media.files import open_file

    text = value.get("data") if isinstance(value, dict) else value
    return b"" if isinstance(text, str) and text.startswith("https://") else open_file(value, ())


if __name__ == "__main__":
    sys.meta_path.insert(0, _EmptyLibraries())
    given = json.load(sys.stdin)
    json.dump(told(given["settings"], given["requests"], Path(sys.argv[1])), sys.stdout)
