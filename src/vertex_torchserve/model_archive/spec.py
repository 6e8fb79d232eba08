"""What goes into a model archive, in the terms of torch-model-archiver."""

from dataclasses import dataclass
from pathlib import Path

from model_archiver.model_archiver_error import ModelArchiverError
from model_archiver.model_packaging_utils import ModelExportUtils

from vertex_torchserve.errors import Problem
from vertex_torchserve.serving.archive.bounded_text import shortened
from vertex_torchserve.serving.archive.manifest import LONGEST_MODEL_NAME, LONGEST_VERSION, is_version

DEFAULT_MODEL_NAME = "model"
DEFAULT_VERSION = "v1.0"
DEFAULT_HANDLER = "base_handler"


@dataclass(frozen=True)
class ModelArchiveSpec:
    """What to package.

    Attributes:
        model_folder: The trained model's folder; everything in it goes in, sub-folders as they are.
        handler: A handler file (`path/to/handler.py`, or `path/to/handler.py:function`), `huggingface`
            for the reference handler, the name of one of TorchServe's own, or one that was written for
            another server: `endpoint:FILE.py` (Hugging Face's `EndpointHandler`, or its older
            `PreTrainedPipeline`) or `sagemaker:FILE.py` (`model_fn` and others), whose file may also be named
            as it lies in the model folder.
        model_name: Becomes `<model_name>.mar` and `/predictions/<model_name>`.
        version: The version TorchServe serves it under.
        local_model_file: The serialized file (weights, TorchScript), relative to `model_folder`; found by
            its name when None.
        model_file: The .py with the one class of an eager model; only for TorchServe's own handlers.
        extra_files: Files and folders for the root of the archive. A folder keeps its name there; of one
            that is named with a slash at its end (`code/`), of `.` and of `..` the content goes there.
        ignore: Names and glob patterns of what in `model_folder` stays out.
        tokenizer: A tokenizer file, or a folder whose content goes to the root of the archive.
        requirements_file: Packages that are installed when the model is served; `requirements.txt` at the
            root of the archive when None.
        config_file: `model-config.yaml`; the one at the root of the archive when None.
        golden_request: What the served model must answer before it is called ready
            (serving/archive/golden_request.py); `golden-request.json` at the root of the archive when None.
        task: What the reference handler is to serve the model for, such as `summarization`; it goes into
            the archive's model config. None leaves it to the handler, which looks at the model's own files.
        engine: What the reference handler runs an encoder by: `torch`, `onnxruntime` (the model is exported
            to ONNX, and held against torch), or `auto` (likewise, and the faster one is taken where it is
            served). None leaves it to the handler, which looks for an ONNX file in the model folder.
        quantize: `int8` makes the ONNX file's matrix products int8; None leaves them in float32.
        least_cosine: How near the vectors of int8 must come to torch's, over texts; from 0 to 1.
        least_agreement: The share of texts, or of tokens, whose best label must be torch's.
        vendor_wheels: Where the wheels of the requirements come from that are put into the archive: an image,
            whose pip chooses and fetches them; a folder of wheels; or `index`, which pip on this machine asks
            for what our images lack. None leaves them to the container.
        python: The version of Python that wheels of a folder or the index are chosen for; the images' own
            when None.
        platform: The platform that they are chosen for, such as `manylinux_2_28_x86_64`; likewise.
    """

    model_folder: Path
    handler: str = DEFAULT_HANDLER
    model_name: str = DEFAULT_MODEL_NAME
    version: str = DEFAULT_VERSION
    local_model_file: str | None = None
    model_file: Path | None = None
    extra_files: tuple[str | Path, ...] = ()
    ignore: tuple[str, ...] = ()
    tokenizer: Path | None = None
    requirements_file: Path | None = None
    config_file: Path | None = None
    golden_request: Path | None = None
    task: str | None = None
    engine: str | None = None
    quantize: str | None = None
    least_cosine: float | None = None
    least_agreement: float | None = None
    vendor_wheels: str | None = None
    python: str | None = None
    platform: str | None = None


def name_problems(model_name: str, version: str) -> list[Problem]:
    """What torch-model-archiver's rule says against the name; and a version that can't be served.

    Args:
        model_name: As in `ModelArchiveSpec`.
        version: As in `ModelArchiveSpec`.
    """
    problems: list[Problem] = []
    if len(model_name) > LONGEST_MODEL_NAME:
        problems.append(
            Problem(
                f"model name {shortened(repr(model_name))} has {len(model_name):,} characters; at most "
                f"{LONGEST_MODEL_NAME} are accepted",
                "choose a shorter model name, such as `model`",
            )
        )
    try:
        ModelExportUtils.check_model_name_regex_or_exit(model_name)
    except ModelArchiverError:
        problems.append(
            Problem(
                f"model name {shortened(repr(model_name))} is refused by torch-model-archiver, which accepts "
                "letters, digits, `_`, `-` and `.`, a letter or digit first",
                "choose another model name, such as `model`",
            )
        )
    if not version.strip():
        problems.append(Problem("the version is empty", f"give one, such as {DEFAULT_VERSION!r}"))
    elif not is_version(version):
        problems.append(
            Problem(
                f"version {shortened(repr(version))} has {len(version):,} characters; accepted are printable "
                f"ones, at most {LONGEST_VERSION}",
                f"choose another version, such as {DEFAULT_VERSION!r}",
            )
        )
    return problems
