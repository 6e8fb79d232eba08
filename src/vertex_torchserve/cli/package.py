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


_REFERENCE = "With --handler huggingface"
_CONTENT = "What else goes in"
_REQUIREMENTS = "Requirements"


def package(
    model_folder: Annotated[str, typer.Argument(help="The trained model: a folder, or gs://BUCKET/PREFIX.")],
    handler: Annotated[
        str,
        typer.Option(
            help="`huggingface`, FILE.py, FILE.py:FUNCTION, `endpoint:FILE.py` or `sagemaker:FILE.py` for "
            "one of another server, or the name of one of TorchServe's (base_handler).",
            show_default=False,
        ),
    ] = _HANDLER,
    task: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Such as `summarization`; else the model's files decide.",
            rich_help_panel=_REFERENCE,
        ),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            metavar="ENGINE",
            help="What runs an encoder: torch, onnxruntime (exported now, held against torch), auto.",
            rich_help_panel=_REFERENCE,
        ),
    ] = None,
    quantize: Annotated[
        str | None,
        typer.Option(
            metavar="int8",
            help="With --engine onnxruntime: weights in int8, held against torch on texts.",
            rich_help_panel=_REFERENCE,
        ),
    ] = None,
    least_cosine: Annotated[
        float | None,
        typer.Option(
            metavar="NUMBER",
            help="How near int8's vectors must come to torch's, up to 1.",
            rich_help_panel=_REFERENCE,
        ),
    ] = None,
    least_agreement: Annotated[
        float | None,
        typer.Option(
            metavar="NUMBER",
            help="The share of labels in which int8 must agree with torch.",
            rich_help_panel=_REFERENCE,
        ),
    ] = None,
    export_path: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER", help="Where the archive is written; here if not given.", show_default=False
        ),
    ] = Path(),
    model_name: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Becomes NAME.mar and /predictions/NAME; model if not given.",
            show_default=False,
        ),
    ] = _MODEL_NAME,
    version: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Version that TorchServe serves it under; v1.0 if not given.",
            show_default=False,
        ),
    ] = _VERSION,
    local_model_file: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Serialized file in MODEL_FOLDER; else found by its name.",
            rich_help_panel=_CONTENT,
        ),
    ] = None,
    model_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Python file with the one class of an eager model.", rich_help_panel=_CONTENT
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GLOB", help="Name or glob of what stays out; may be repeated.", rich_help_panel=_CONTENT
        ),
    ] = None,
    extra_file: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH",
            help="File or folder for the root; of FOLDER/ its content. May be repeated.",
            rich_help_panel=_CONTENT,
        ),
    ] = None,
    requirements_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="requirements.txt, installed when the model is loaded.",
            rich_help_panel=_REQUIREMENTS,
        ),
    ] = None,
    config_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="model-config.yaml; else the one in MODEL_FOLDER.", rich_help_panel=_CONTENT
        ),
    ] = None,
    golden_request: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="What the model must answer before it is ready; else the one in MODEL_FOLDER.",
            rich_help_panel=_CONTENT,
        ),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            metavar="PATH", help="A tokenizer's file or folder, for the root.", rich_help_panel=_CONTENT
        ),
    ] = None,
    vendor_wheels: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help="Pack their wheels: from an IMAGE's pip, a FOLDER, or (`index`) pip here.",
            rich_help_panel=_REQUIREMENTS,
        ),
    ] = None,
    python: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION",
            help=f"The Python of a FOLDER's or the index's wheels; else {_PYTHON}.",
            rich_help_panel=_REQUIREMENTS,
        ),
    ] = None,
    platform: Annotated[
        str | None,
        typer.Option(metavar="TAG", help=f"Their platform; else {_PLATFORM}.", rich_help_panel=_REQUIREMENTS),
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace an archive of that name.")] = False,
    as_json: AsJson = False,
) -> None:
    """Package a trained model as a TorchServe archive (.mar).

    Writes FOLDER/NAME.mar: the model with its sub-folders, the handler and what options name. The same input
    gives the same bytes; any path may be gs://.
    Next: `vertex-torchserve smoke-test MODEL.mar --instances FILE`.

    Examples:

        vertex-torchserve package ./all-MiniLM-L6-v2 --handler huggingface --export-path build

        vertex-torchserve package ./model --handler handler.py --requirements-file requirements.txt

        vertex-torchserve package gs://my-bucket/run-7 --handler endpoint:handler.py --ignore 'checkpoint-*'
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
