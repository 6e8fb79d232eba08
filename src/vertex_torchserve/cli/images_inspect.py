"""`vertex-torchserve images inspect`."""

from typing import Annotated

import typer
from rich.markup import escape

from vertex_torchserve.cli.console import messages, output, print_json


def inspect(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="An image that the local engine has.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the facts as JSON.")] = False,
) -> None:
    """Say what an image is and what its Python has.

    Size, user, entry point, ports and labels, as the engine knows them; the versions of Python, torch,
    TorchServe and transformers, as the image's own `python3` tells them in a container without network.
    Next: `vertex-torchserve conformance IMAGE`, or `check MODEL.mar --image IMAGE`.

    Example:

        vertex-torchserve images inspect torchserve-cpu:dev
    """
    from vertex_torchserve.image_facts import facts_of

    with messages.status(f"looking at {escape(image)}"):
        facts = facts_of(image)
    if as_json:
        print_json(facts.as_json())
        return
    for name, value in (
        ("image", f"{image}, {facts.platform}, {facts.size_bytes / 1e9:.2f} GB, made {facts.created}"),
        ("id", facts.digest),
        ("user", facts.user or "root"),
        ("runs", " ".join(facts.entrypoint)),
        ("ports", ", ".join(facts.ports) or "none are told"),
        ("commit", facts.commit or "it doesn't say"),
        ("versions", ", ".join(f"{name} {version}" for name, version in facts.versions.items())),
        ("packages", f"{facts.packages} of Python, {facts.system_packages} of Debian"),
        *((f"label {name}", value) for name, value in sorted(facts.labels.items())),
    ):
        output.print(f"{name:<9} {value or 'no python3 of it tells'}", markup=False)
