"""Everything that can be wrong with the component's inputs, found before anything is downloaded."""

from collections.abc import Iterable, Iterator
from datetime import date

from vertex_torchserve.component.inputs import ComponentInputs
from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.gcs import GcsPath
from vertex_torchserve.model_archive.foreign_handler import split_foreign
from vertex_torchserve.model_archive.handler_source import (
    FOREIGN_HANDLERS,
    REFERENCE_HANDLER,
    TORCHSERVE_HANDLERS,
)
from vertex_torchserve.model_archive.spec import name_problems
from vertex_torchserve.model_archive.wheels.vendoring import INDEX
from vertex_torchserve.vertex_ai import upload_problems


def input_problems(inputs: ComponentInputs, today: date) -> list[Problem]:
    """All problems together, found without reading a file or asking a service.

    Args:
        inputs: What KFP delivered.
        today: Decides which prebuilt images still exist.
    """
    return [
        *name_problems(inputs.model_name, inputs.version),
        *_model_file_problems(inputs),
        *_handler_problems(inputs),
        *_path_problems(inputs),
        *_wheels_problems(inputs),
        *_staged_name_problems(inputs),
        *_tokenizer_problems(inputs),
        *inputs.container().problems(),
        *inputs.container_spec(today).problems(),
        *upload_problems(inputs.upload()),
    ]


def _model_file_problems(inputs: ComponentInputs) -> Iterator[Problem]:
    if not inputs.local_model_file:
        yield Problem("local_model_file is empty", "name the serialized file, such as pytorch_model.bin")
    elif _leaves_its_folder(inputs.local_model_file):
        yield _not_a_name("local_model_file", inputs.local_model_file)
    for pattern in inputs.extra_files_to_ignore:
        if not isinstance(pattern, str) or not pattern:
            yield Problem(
                f"extra_files_to_ignore holds {pattern!r}; names and glob patterns are accepted",
                "write each as text, such as '*.log'",
            )


def _handler_problems(inputs: ComponentInputs) -> Iterator[Problem]:
    kind, named = split_foreign(inputs.handler_name)
    if (kind or inputs.handler_is_staged) and not named.partition(":")[0].endswith(".py"):
        yield Problem(
            f"handler {inputs.handler!r} is not a .py file; accepted are FILE.py, FILE.py:FUNCTION, "
            f"{FOREIGN_HANDLERS}, `{REFERENCE_HANDLER}`, or one of {', '.join(sorted(TORCHSERVE_HANDLERS))}",
            "correct the name of the handler",
        )
    elif kind and _leaves_its_folder(named):
        yield _not_a_name("handler", inputs.handler)
    if inputs.model_file and not inputs.model_file.endswith(".py"):
        yield Problem(
            f"model_file {inputs.model_file!r} is not a .py file", "name the file with the model's class"
        )
    if inputs.requirements and not inputs.custom_container:
        yield Problem(
            f"requirements {inputs.requirements!r} with a prebuilt container, which installs none",
            "use custom_container=True with an image that sets install_py_dep_per_model=true",
        )


def _wheels_problems(inputs: ComponentInputs) -> Iterator[Problem]:
    named = inputs.vendor_wheels
    if named and named != INDEX and not named.startswith("gs://"):
        yield Problem(
            f"vendor_wheels {named!r} is neither the gs:// path of a folder of wheels nor `{INDEX}`; a task "
            "has no Docker to ask an image with",
            f"upload the wheels and give their folder, or `{INDEX}` to download them in the task",
        )
    elif named and named != INDEX:
        yield from _gcs_problems("vendor_wheels", named)
    if named and not inputs.custom_container:
        yield Problem(
            f"vendor_wheels {named!r} with a prebuilt container, which installs no requirements",
            "use custom_container=True with an image of yours, or leave vendor_wheels out",
        )


def _path_problems(inputs: ComponentInputs) -> Iterator[Problem]:
    paths = {
        "gcs_model_path": inputs.gcs_model_path,
        "extra_files_staging_path": inputs.extra_files_staging_path,
        "custom_tokenizer_path": inputs.custom_tokenizer_path,
        "model_archive_path": inputs.model_archive_path,
    }
    for name, value in paths.items():
        if value or name == "gcs_model_path":
            yield from _gcs_problems(name, value)
    archives = inputs.model_archive_path.removesuffix("/")
    if archives and archives == inputs.gcs_model_path.removesuffix("/"):
        yield Problem(
            f"model_archive_path {inputs.model_archive_path!r} is the model's folder itself, which would "
            "be staged together with the archives next time",
            "name another folder, or leave it blank for `model-archive` in the model's folder",
        )


def _gcs_problems(name: str, value: str) -> Iterable[Problem]:
    try:
        GcsPath.parse(value)
    except InputError as error:
        return [Problem(f"{name}: {problem.message}", problem.fix) for problem in error.problems]
    return []


def _staged_name_problems(inputs: ComponentInputs) -> Iterator[Problem]:
    for input_name, name in inputs.staged_names:
        if not inputs.extra_files_staging_path:
            yield Problem(
                f"{input_name} {name!r} is given, but no extra_files_staging_path to take it from",
                "give the gs:// folder that holds it as extra_files_staging_path",
            )
        is_content = input_name == "extra_prediction_files" and name.endswith("/")
        if _leaves_its_folder(name.removesuffix("/") if is_content else name):
            yield _not_a_name(input_name, name)


def _tokenizer_problems(inputs: ComponentInputs) -> Iterator[Problem]:
    name = inputs.custom_tokenizer_name
    if name and not inputs.custom_tokenizer_path:
        yield Problem(
            f"custom_tokenizer_name {name!r} without a custom_tokenizer_path",
            "give the gs:// path of the tokenizer, or of the folder that holds it",
        )
    if name and _leaves_its_folder(name):
        yield _not_a_name("custom_tokenizer_name", name)


def _leaves_its_folder(name: str) -> bool:
    return not {"", ".", ".."}.isdisjoint(name.split("/"))


def _not_a_name(input_name: str, value: str) -> Problem:
    return Problem(
        f"{input_name} {value!r} is not a name in a folder; a name, or names with one `/` between them, are "
        "accepted",
        "give the name as it stands beneath the folder",
    )
