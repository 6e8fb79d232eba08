"""`vertex-torchserve predict`."""

import base64
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vertex_torchserve.cli.console import AsJson, output, print_json, quiet_google_sdk
from vertex_torchserve.cli.vertex_options import Location, Project, parameters_of
from vertex_torchserve.errors import InputError, Problem

if TYPE_CHECKING:
    from vertex_torchserve.serving.archive.prediction_request import PredictionRequest


def predict(
    project: Project,
    location: Location,
    endpoint: Annotated[str, typer.Argument(metavar="ENDPOINT", help="Name, id or resource name.")],
    text: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="A text is an instance; may be repeated.")
    ] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="An image or a sound is an instance; may be repeated."),
    ] = None,
    instances: Annotated[
        Path | None, typer.Option(metavar="FILE", help="JSON or JSONL, as `smoke-test --instances` reads it.")
    ] = None,
    parameters: Annotated[
        str | None, typer.Option(metavar="JSON", help="Parameters for all instances, as a JSON object.")
    ] = None,
    stream: Annotated[
        bool, typer.Option("--stream", help="Print the answer as it comes; takes a dedicated endpoint.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Ask an endpoint.

    Prints each prediction as a line of JSON. A shared endpoint takes 1.5 MB and 60 s, a dedicated one 10 MB
    and 600 s. With --stream the parameter `stream` is sent, and what comes is printed as it is.
    Next: `vertex-torchserve batch-predict MODEL FILE gs://BUCKET/OUTPUT` for many instances.

    Examples:

        vertex-torchserve predict bert --text "How do I serve this?"
        --project my-project --location europe-west2

        vertex-torchserve predict detector --file street.jpg --parameters '{"threshold": 0.8}'

        vertex-torchserve predict writer --text "Once upon a time" --stream
    """
    from vertex_torchserve import vertex_ai
    from vertex_torchserve.errors import raise_problems
    from vertex_torchserve.vertex_ai.client import explained
    from vertex_torchserve.vertex_ai.place import place_problems

    quiet_google_sdk()
    requests = _requests(text or [], file or [], instances, parameters_of(parameters))
    if stream and (as_json or len(requests) > 1):
        raise InputError(
            Problem("--stream prints one answer as it comes", "give one request, without --json")
        )
    raise_problems(list(place_problems(project, location)))
    with explained(f"look for {endpoint!r}"):
        vertex_ai.connect(project, location)
        asked = vertex_ai.AskedEndpoint(vertex_ai.find_endpoint(endpoint))
    if stream:
        _print_stream(asked, requests[0])
        return
    for request in requests:
        answer = asked.predict(request.instances, request.parameters)
        if as_json:
            print_json(asdict(answer))
        else:
            for prediction in answer.predictions:
                output.print(json.dumps(prediction, ensure_ascii=False), markup=False)


def _print_stream(asked: Any, request: "PredictionRequest") -> None:
    streamed = replace(request, parameters={"stream": True, **(request.parameters or {})})
    for piece in asked.stream(streamed.body()):
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    sys.stdout.write("\n")


def _requests(
    texts: list[str], files: list[Path], instances: Path | None, parameters: dict[str, Any] | None
) -> "list[PredictionRequest]":
    """What is asked: one request for texts and files, or those of a file.

    Raises:
        InputError: Nothing is given, or too much, or a file can't be read.
    """
    from vertex_torchserve.serving.archive.prediction_request import PredictionRequest
    from vertex_torchserve.serving.archive.request_file import read_request_file

    if bool(texts or files) == bool(instances):
        raise InputError(
            Problem(
                "nothing to ask is given" if not instances else "--instances with --text or --file",
                "give --text TEXT, --file FILE or --instances FILE",
            )
        )
    if instances:
        given = read_request_file(instances).requests
        return [each if parameters is None else replace(each, parameters=parameters) for each in given]
    missing = [
        Problem(f"file {str(file)!r} does not exist", "correct the path")
        for file in files
        if not file.is_file()
    ]
    if missing:
        raise InputError(*missing)
    read: list[Any] = [{"b64": base64.b64encode(file.read_bytes()).decode()} for file in files]
    return [PredictionRequest([*texts, *read], parameters)]
