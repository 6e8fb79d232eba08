"""Whether a handler that was written for another server has what that server calls."""

import ast
from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error, warning
from vertex_torchserve.archive_check.reading.handler_reference import (
    ENDPOINT_CLASS,
    PIPELINE_CLASS,
    SAGEMAKER_FUNCTIONS,
)
from vertex_torchserve.archive_check.reading.python_source import PythonSource
from vertex_torchserve.archive_check.reading.torch_file import Kind
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject

_STEPS = SAGEMAKER_FUNCTIONS[1:4]
_SAMPLES = "sampling_rate"  # by which a pipeline says that it takes sounds
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@rule
def foreign_handler_functions(subject: Subject) -> Iterator[Finding]:
    """A handler that was written for another server has what that server calls.

    `--handler endpoint:FILE.py` calls the class `EndpointHandler`: it is made with the path of the model's
    folder and called with the data of each instance; or, where there is none, the older class
    `PreTrainedPipeline`, which is called with the inputs and the parameters. `--handler sagemaker:FILE.py`
    calls `model_fn`, `input_fn`, `predict_fn` and `output_fn`, at least one of them, with the toolkits'
    defaults for the others; or `transform_fn` in place of the last three. The default of `model_fn` loads
    `model.pt`, or the one .pt or .pth, as TorchScript; for a model of Hugging Face, which has a
    `config.json`, it makes a pipeline.

    Fix: define what is missing, or name the file that has it.
    """
    kind = subject.handler.adapted if subject.handler else None
    if kind is None:
        return
    if subject.adapted_handler is None:
        yield error(
            subject.config_name or "MAR-INF/MANIFEST.json",
            "`handler: {file: ...}` in model-config.yaml names no file of the archive, and the adapter calls "
            "the handler that it names",
            f"package with `--handler {kind}:FILE.py`, which writes it",
        )
        return
    source = subject.python(subject.adapted_handler)
    names = source.bound_names() if source.tree else None
    if names is None:
        return  # no Python, which another rule says; or with `import *`, so that its names are not known
    if kind == "endpoint":
        yield from _endpoint_findings(source, names)
    else:
        yield from _sagemaker_findings(subject, source, names)


def _endpoint_findings(source: PythonSource, names: set[str]) -> Iterator[Finding]:
    name = next((each for each in (ENDPOINT_CLASS, PIPELINE_CLASS) if each in names), None)
    if name is None:
        yield error(
            source.member,
            f"{source.member} defines no class {ENDPOINT_CLASS} or {PIPELINE_CLASS}; it defines "
            f"{_listed(source)}",
            f"name the file that defines {ENDPOINT_CLASS}",
        )
        return
    found = source.definition(name)
    if not isinstance(found, ast.ClassDef) or any(ast.unparse(base) != "object" for base in found.bases):
        return  # what another class brings is not known
    where = f"{source.member}:{found.lineno}"
    methods = {node.name: node for node in found.body if isinstance(node, _DEFINITIONS)}
    assigned = {each.id for node in found.body for each in ast.walk(node) if isinstance(each, ast.Name)}
    if "__call__" not in {*methods, *assigned}:
        yield error(
            where,
            f"{name} in {source.member} has no `__call__`",
            f"define `__call__(self, {'data' if name == ENDPOINT_CLASS else 'inputs'})`",
        )
    made = methods.get("__init__")
    if made is None or not _takes(made, 2):
        yield error(
            where,
            f"{name} in {source.member} can't be made with the path of the model's folder alone",
            "define `__init__(self, path)`, with defaults for all else",
        )
    fields = {each.attr for each in ast.walk(found) if isinstance(each, ast.Attribute)}
    if name == PIPELINE_CLASS and _SAMPLES in {*fields, *assigned}:
        yield warning(
            where,
            f"{name} in {source.member} has a {_SAMPLES}: its own server decodes sounds for it, and the "
            "adapter refuses them",
            f"write an {ENDPOINT_CLASS}, which gets a sound's bytes",
        )


def _sagemaker_findings(subject: Subject, source: PythonSource, names: set[str]) -> Iterator[Finding]:
    there = [name for name in SAGEMAKER_FUNCTIONS if name in names]
    steps = [name for name in _STEPS if name in names]
    if not there:
        yield error(
            source.member,
            f"{source.member} defines none of {', '.join(SAGEMAKER_FUNCTIONS)}; it defines {_listed(source)}",
            "name the file that defines them",
        )
    elif "transform_fn" in there and steps:
        yield error(
            source.member,
            f"{source.member} defines transform_fn and {', '.join(steps)}: it is the one or the others",
            f"remove transform_fn, or {', '.join(steps)}",
        )
    elif "model_fn" not in there and not subject.holds("config.json"):
        yield from _model_findings(subject, source)


def _model_findings(subject: Subject, source: PythonSource) -> Iterator[Finding]:
    """What the default of `model_fn` can't load."""
    found = ["model.pt"] if subject.holds("model.pt") else sorted(subject.weights(".pt", ".pth"))
    file = subject.torch_file(found[0]) if len(found) == 1 else None
    if len(found) != 1 or (file is not None and file.kind is Kind.PICKLE):
        what = "is no TorchScript" if file else "is not one file"
        yield error(
            source.member,
            f"{source.member} defines no model_fn, and what is loaded then {what}: "
            f"{', '.join(found) or 'no .pt or .pth at the root'}",
            "define `model_fn(model_dir)`, or save one TorchScript program as model.pt",
        )


def _takes(function: ast.FunctionDef | ast.AsyncFunctionDef, count: int) -> bool:
    """Whether it can be called with so many arguments, all by their position."""
    arguments = function.args
    positional = len(arguments.posonlyargs) + len(arguments.args)
    needed = positional - len(arguments.defaults)
    named = sum(default is None for default in arguments.kw_defaults)
    return needed <= count and named == 0 and (positional >= count or arguments.vararg is not None)


def _listed(source: PythonSource) -> str:
    """What a file defines, for a message."""
    classes = [f"class {each.name}" for each in source.classes()]
    functions = [node.name for node in source.body if isinstance(node, _DEFINITIONS)]
    return ", ".join([*classes, *functions]) or "no class and no function"
