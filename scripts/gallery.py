"""Put the component together as the gallery of Kubeflow wants it: build/gallery/components/deployment/...

    python -m scripts.gallery FOLDER

The gallery is https://github.com/kubeflow/pipelines-components; what a component there consists of is in its
docs/CONTRIBUTING.md. Source and description are component/component.py, the rest is in component/gallery/;
the README is made of both, with the headings of the gallery's own generator (`make readme` there).
"""

import ast
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

COMPONENT = Path("component")
NAME = "upload_pytorch_model"
_ARGUMENT = re.compile(r"^(\w+): (.+)$")


def assemble(root: Path, target: Path) -> Path:
    """Write the component's folder; returns it.

    Args:
        root: The checkout.
        target: A folder with the gallery's layout; the component's own is made anew.
    """
    folder = target / "components" / "deployment" / NAME
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("metadata.yaml", "OWNERS", "example_pipelines.py"):
        shutil.copy(root / COMPONENT / "gallery" / name, folder / name)
    shutil.copy(root / COMPONENT / "component.py", folder / "component.py")
    (folder / "__init__.py").write_text(f'from .component import {NAME}\n\n__all__ = ["{NAME}"]\n')
    (folder / "README.md").write_text(readme(folder), encoding="utf-8")
    return folder


def readme(folder: Path) -> str:
    """The README of a component's folder."""
    function = _function(folder / "component.py")
    metadata = yaml.safe_load((folder / "metadata.yaml").read_text())
    overview, arguments = _docstring(function)
    lines = [f"# {NAME.replace('_', ' ').title()}", ""]
    if metadata["stability"] != "stable":
        lines += [f"> Stability: {metadata['stability']}. This component may still change.", ""]
    lines += ["## Overview", "", overview, "", "## Inputs", ""]
    lines += ["| Parameter | Type | Default | Description |", "|---|---|---|---|"]
    for name, kind, default in _parameters(function):
        lines.append(f"| `{name}` | `{kind}` | {default} | {arguments[name]} |")
    example = (folder / "example_pipelines.py").read_text().rstrip()
    lines += ["", "## Usage Examples", "", "```python", example, "```", "", "## Metadata", ""]
    lines += [*_listed({key: value for key, value in metadata.items() if key not in ("ci", "links")})]
    owners = yaml.safe_load((folder / "OWNERS").read_text())
    return "\n".join([*lines, *_listed({"owners": owners}), ""])


def _function(source: Path) -> ast.FunctionDef:
    tree = ast.parse(source.read_text())
    return next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == NAME)


def _docstring(function: ast.FunctionDef) -> tuple[str, dict[str, str]]:
    """What it does, and the text of each argument on one line."""
    overview, _, section = (ast.get_docstring(function) or "").partition("\n\nArgs:\n")
    arguments: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        started = _ARGUMENT.match(line.removeprefix("    "))
        if started:
            name, arguments[started[1]] = started[1], started[2]
        elif line.strip():
            arguments[name] += f" {line.strip()}"
    return overview, arguments


def _parameters(function: ast.FunctionDef) -> Iterator[tuple[str, str, str]]:
    """Name, type and default of each parameter."""
    required = len(function.args.args) - len(function.args.defaults)
    for number, each in enumerate(function.args.args):
        default = "Required"
        if number >= required:
            default = f"`{ast.unparse(function.args.defaults[number - required])}`"
        yield each.arg, ast.unparse(each.annotation) if each.annotation else "Any", default


def _listed(values: Any, depth: int = 0) -> Iterator[str]:
    """Nested lists of Markdown."""
    indent = "  " * depth
    if isinstance(values, dict):
        for key, value in values.items():
            title = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", key).capitalize()
            if isinstance(value, dict | list):
                yield f"{indent}- {title}:"
                yield from _listed(value, depth + 1)
            else:
                yield f"{indent}- {title}: {value}"
        return
    for value in values:
        text = (
            ", ".join(f"{key}: {each}" for key, each in value.items()) if isinstance(value, dict) else value
        )
        yield f"{indent}- {text}"


if __name__ == "__main__":
    print(assemble(Path(), Path(sys.argv[1])))  # noqa: T201
