"""`vertex-torchserve package`."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vertex_torchserve.cli.console import AsJson, messages, output, print_json, warn

if TYPE_CHECKING:
    from rich.progress import Progress

    from vertex_torchserve.gcs.local_copy import LocalCopies

# Shown in `--help`; the same as in ModelArchiveSpec, whose import would make `--help` slow.
_MODEL_NAME, _VERSION, _HANDLER = "model", "v1.0", "base_handler"
_PYTHON, _PLATFORM = "3.11", "manylinux_2_28_x86_64"


def package(
    model_folder: Annotated[str, typer.Argument(help="The trained model: a folder, or gs://BUCKET/PREFIX.")],
    handler: Annotated[
        str,
        typer.Option(
            help="`huggingface` for the reference handler, FILE.py or FILE.py:FUNCTION for your own, "
            "`endpoint:FILE.py` for an EndpointHandler of Hugging Face, `sagemaker:FILE.py` for an "
            "inference.py of SageMaker, or the name of one of TorchServe's."
        ),
    ] = _HANDLER,
    task: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What `--handler huggingface` serves the model for, such as `summarization`; when not "
            "given, the model's own files decide.",
        ),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            metavar="auto|torch|onnxruntime",
            help="What `--handler huggingface` runs an encoder by. onnxruntime: the model is exported to "
            "ONNX and held against torch; auto: likewise, and where it is served the faster one is taken.",
        ),
    ] = None,
    quantize: Annotated[
        str | None,
        typer.Option(
            metavar="int8", help="With `--engine onnxruntime`: weights in int8, held against torch on texts."
        ),
    ] = None,
    least_cosine: Annotated[
        float | None,
        typer.Option(metavar="NUMBER", help="How near the vectors of int8 must come to torch's, up to 1."),
    ] = None,
    least_agreement: Annotated[
        float | None,
        typer.Option(
            metavar="NUMBER", help="The share of texts or tokens to which int8 must give torch's label."
        ),
    ] = None,
    export_path: Annotated[Path, typer.Option(help="Folder for the archive; made if needed.")] = Path(),
    model_name: Annotated[
        str, typer.Option(help="Becomes MODEL_NAME.mar and /predictions/MODEL_NAME.")
    ] = _MODEL_NAME,
    version: Annotated[str, typer.Option(help="Version TorchServe serves it under.")] = _VERSION,
    local_model_file: Annotated[
        str | None, typer.Option(help="Serialized file in MODEL_FOLDER; found by its name when not given.")
    ] = None,
    model_file: Annotated[
        str | None, typer.Option(help="Python file with the one class of an eager model.")
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Name or glob of what stays out; may be repeated."),
    ] = None,
    extra_file: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH",
            help="File or folder to put at the root; FOLDER/, with the slash, puts its content there, as "
            "torch-model-archiver does with every folder. May be repeated.",
        ),
    ] = None,
    requirements_file: Annotated[
        str | None, typer.Option(help="requirements.txt that TorchServe installs at load.")
    ] = None,
    config_file: Annotated[
        str | None, typer.Option(help="model-config.yaml; the one in MODEL_FOLDER when not given.")
    ] = None,
    golden_request: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="JSON with instances, and optionally parameters, predictions and tolerance: the server is "
            "ready once the model has answered it; golden-request.json in MODEL_FOLDER when not given.",
        ),
    ] = None,
    tokenizer: Annotated[
        str | None, typer.Option(metavar="FILE_OR_FOLDER", help="Custom tokenizer, put at the root.")
    ] = None,
    vendor_wheels: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGE|FOLDER|index",
            help="Put the wheels of the requirements into the archive, so that a container needs no network: "
            "those that pip in IMAGE chooses and fetches, those of FOLDER that fit --python and --platform, "
            "or, with `index`, those that pip here downloads for them.",
        ),
    ] = None,
    python: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION",
            help=f"Python that wheels of FOLDER or `index` are for; {_PYTHON} when not given.",
        ),
    ] = None,
    platform: Annotated[
        str | None,
        typer.Option(
            metavar="TAG",
            help=f"Platform that wheels of FOLDER or `index` are for; {_PLATFORM} when not given.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace an archive of that name.")] = False,
    as_json: AsJson = False,
) -> None:
    """Package a trained model as a TorchServe archive (.mar).

    Writes EXPORT_PATH/MODEL_NAME.mar: the model folder with its sub-folders, the handler and all other files
    that options name, uncompressed. The same input gives the same bytes. Every path may be a gs:// path.
    With --vendor-wheels the requirements in the archive become the lock of the wheels beside them.
    Next: `vertex-torchserve smoke-test MODEL.mar --instances FILE`.

    Examples:

        vertex-torchserve package ./all-MiniLM-L6-v2 --handler huggingface --export-path build

        vertex-torchserve package ./bart-large-mnli --handler huggingface --task zero-shot-classification

        vertex-torchserve package ./model --handler handler.py --requirements-file requirements.txt
        --vendor-wheels torchserve-cpu:dev

        vertex-torchserve package gs://my-bucket/run-7 --handler handler.py --ignore 'checkpoint-*'

        vertex-torchserve package ./all-MiniLM-L6-v2 --handler huggingface --engine onnxruntime
        --quantize int8 --least-cosine 0.98

        vertex-torchserve package ./hub-folder --handler endpoint:handler.py
    """
    from vertex_torchserve.gcs.local_copy import LocalCopies, told_by_origin
    from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive
    from vertex_torchserve.serving.archive.member_names import GOLDEN_REQUEST_NAME

    with tempfile.TemporaryDirectory(prefix="vts-") as staging, _progress() as progress:
        copies = LocalCopies(Path(staging))

        def local(path: str | None) -> Path | None:
            return copies.of(path) if path else None

        spec = ModelArchiveSpec(
            model_folder=copies.of(model_folder, ignore=ignore or []),
            handler=_local_handler(handler, copies),
            model_name=model_name,
            version=version,
            local_model_file=local_model_file,
            model_file=local(model_file),
            extra_files=tuple(_local_extra(path, copies) for path in extra_file or []),
            ignore=tuple(ignore or []),
            tokenizer=local(tokenizer),
            requirements_file=local(requirements_file),
            config_file=local(config_file),
            golden_request=local(golden_request),
            task=task,
            engine=engine,
            quantize=quantize,
            least_cosine=least_cosine,
            least_agreement=least_agreement,
            vendor_wheels=_local_wheels(vendor_wheels, copies),
            python=python,
            platform=platform,
        )
        packing = progress.add_task("packing", total=None)
        with told_by_origin(copies.origins):
            built = build_model_archive(
                spec,
                export_path,
                force=force,
                progress=lambda done, total: progress.update(packing, completed=done, total=total),
            )
    for warning in built.warnings:
        warn(warning)
    if as_json:
        print_json(
            {
                "mar_path": str(built.mar_path),
                "sha256": built.sha256,
                "size_bytes": built.size_bytes,
                "model_name": built.model_name,
                "version": built.version,
                "handler": built.handler,
                "members": list(built.members),
                "warnings": list(built.warnings),
                "measured": list(built.measured),
            }
        )
    else:
        output.print(f"[green]packaged[/green] {built.mar_path}")
        for line in built.measured:
            output.print(f"  {line}")
        if vendor_wheels:
            wheels = [name.removeprefix("wheels/") for name in built.members if name.startswith("wheels/")]
            output.print(f"  {len(wheels)} wheels: {', '.join(wheels) or 'the image has everything'}")
        output.print(f"  {len(built.members)} files, {built.size_bytes / 1e6:.1f} MB, sha256 {built.sha256}")
        instances = "" if GOLDEN_REQUEST_NAME in built.members else " --instances instances.json"
        output.print(f"  next: vertex-torchserve smoke-test {built.mar_path}{instances}")


def _local_wheels(named: str | None, copies: "LocalCopies") -> str | None:
    """The image or the folder as given, or the local copy of a folder that lies in Cloud Storage."""
    return str(copies.of(named)) if named and named.startswith("gs://") else named


def _local_extra(named: str, copies: "LocalCopies") -> str:
    """The local path of an extra file; `FOLDER/` keeps its slash."""
    from vertex_torchserve.model_archive.extra_files import takes_content

    return f"{copies.of(named)}{'/' if takes_content(named) else ''}"


def _local_handler(handler: str, copies: "LocalCopies") -> str:
    """The handler as given, or the local copy of one that lies in Cloud Storage."""
    from vertex_torchserve.model_archive.foreign_handler import split_foreign

    kind, named = split_foreign(handler)
    if not named.startswith("gs://"):
        return handler
    path, function = (named, "") if named.endswith(".py") else named.rsplit(":", 1)
    staged = str(copies.of(path)) + (f":{function}" if function else "")
    return f"{kind}:{staged}" if kind else staged


def _progress() -> "Progress":
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=messages,
        transient=True,
        disable=not messages.is_terminal,
    )
