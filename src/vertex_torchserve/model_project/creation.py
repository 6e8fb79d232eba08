"""Write a model project into a folder."""

import re
from pathlib import Path

from vertex_torchserve import __version__
from vertex_torchserve.errors import Problem, raise_problems

_TEMPLATES = Path(__file__).parent / "templates"
# How the model is served: by the reference handler, by a handler of one's own, by one that runs TorchScript.
HOUSES = ("reference", "handler", "torchscript")
# What the reference handler may serve in the project; make_model.py makes a tiny model of it.
TASKS = ("text-classification", "feature-extraction", "text-generation", "image-classification")
# The file of weights, or the program, that make_model.py writes.
_MODEL_FILES = {"reference": "model.safetensors", "handler": "weights.pt", "torchscript": "model.pt"}
# Template -> its place in the project.
_SHARED = {
    "project/Makefile": "Makefile",
    "project/README.md": "README.md",
    "project/ci.yml": ".github/workflows/model.yml",
    "project/gitignore": ".gitignore",
    "project/pipeline.py": "pipeline.py",
    "project/requirements.txt": "requirements.txt",
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def create_project(folder: Path, house: str = "reference", task: str | None = None) -> list[Path]:
    """Write the files of a project; returns their paths.

    Args:
        folder: Made when it isn't there; must be empty.
        house: One of `HOUSES`.
        task: One of `TASKS`, with the house `reference` only; text-classification when None.

    Raises:
        InputError: With everything that is wrong.
    """
    raise_problems(_problems(folder, house, task))
    own = f"reference/{(task or TASKS[0]).replace('-', '_')}" if house == "reference" else house
    files = {**_SHARED, **{f"{own}/{name}": name for name in _names(own)}}
    named = {
        "@NAME@": folder.absolute().name,
        "@HANDLER@": "huggingface" if house == "reference" else "handler.py",
        "@MODEL_FILE@": _MODEL_FILES[house],
        "@VERSION@": __version__,
    }
    for source, place in files.items():
        text = (_TEMPLATES / source).read_text(encoding="utf-8")
        for mark, value in named.items():
            text = text.replace(mark, value)
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text, encoding="utf-8")
    return [folder / place for place in sorted(files.values())]


def _names(template: str) -> list[str]:
    return [file.name for file in (_TEMPLATES / template).iterdir() if file.is_file()]


def _problems(folder: Path, house: str, task: str | None) -> list[Problem]:
    problems = []
    if not _NAME.fullmatch(folder.absolute().name):
        problems.append(
            Problem(
                f"folder name {folder.absolute().name!r}: letters, digits, `.`, `_` and `-` are accepted, as "
                "it becomes the model's display name",
                "choose another name, without blanks",
            )
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        problems.append(Problem(f"{folder} is there already, and not empty", "name a new folder"))
    if house not in HOUSES:
        problems.append(Problem(f"house {house!r}; accepted: {', '.join(HOUSES)}", "give one of these"))
    if task is not None and house != "reference":
        problems.append(
            Problem(f"--task with the house {house!r}, whose handler is the task", "leave it out")
        )
    elif task is not None and task not in TASKS:
        problems.append(
            Problem(
                f"task {task!r}; accepted: {', '.join(TASKS)}",
                "give one of these; the handler serves every common task, once your model is in its place",
            )
        )
    return problems
