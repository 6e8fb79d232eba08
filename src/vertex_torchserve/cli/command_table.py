"""The commands by name, each imported only when it is called or its own help is read."""

from importlib import import_module
from typing import Any, Literal

import typer
from typer.core import TyperGroup
from typer.main import get_group

MARKUP: Literal["markdown"] = "markdown"
# Name: the module of this package that has it, and the first line of its help. The function, or the group of
# commands, has the name of the command.
COMMANDS = {
    "init": ("init", "Make a model project that works at once."),
    "package": ("package", "Package a trained model as a TorchServe archive (.mar)."),
    "check": ("check", "Say what is wrong with an archive, before anything starts."),
    "smoke-test": ("smoke_test", "Prove that an archive serves."),
    "serve": ("serve", "Serve a model here, until Ctrl-C."),
    "conformance": ("conformance", "Say whether a serving image keeps Vertex AI's contract."),
    "upload": ("upload", "Register an archive in the Vertex AI Model Registry."),
    "deploy": ("deploy", "Deploy a model version to an endpoint."),
    "predict": ("predict", "Ask an endpoint."),
    "batch-predict": (
        "batch_predict",
        "Ask a model version in a batch prediction job, and say what failed.",
    ),
    "undeploy": ("deploy", "Take a model down from an endpoint, or all of them with the endpoint."),
    "promote": (
        "promote",
        "Give an alias to a version, once it answered its golden requests as recorded.",
    ),
    "rollback": ("promote", "Give an alias back to the version that had it before."),
    "emulator": ("emulator", "Run a local Vertex AI and Cloud Storage until Ctrl-C."),
    "demo": ("demo", "Package, smoke-test, register, deploy and ask a real model, once, on this machine."),
    "doctor": ("doctor", "Say what this machine has of what the toolkit needs."),
    "models": ("models", "What the Model Registry holds: models, their versions, the aliases of these."),
    "component": ("component", "The KFP components, for pipelines."),
    "golden": (
        "golden",
        "Requests whose answers are known: record what a model answers, ask it again, compare two models.",
    ),
    "images": ("images", "The images that serve model archives and run the KFP component."),
}


class CommandGroup(TyperGroup):
    """The group of all commands, whose help is written of the table alone."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002, D102
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002, D102
        if cmd_name not in self.commands and cmd_name in COMMANDS:
            self.commands[cmd_name] = _imported(cmd_name)
        return self.commands.get(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the words name; for a misspelt one, Typer says which of all it may be."""
        if args[0] not in COMMANDS:
            for name in COMMANDS:
                self.get_command(ctx, name)
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """As Click writes it: importing what Typer writes with, rich, takes a third of a second."""
        super(TyperGroup, self).format_help(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Each command with its line."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _imported(name: str) -> Any:
    module, _ = COMMANDS[name]
    found = getattr(import_module(f"vertex_torchserve.cli.{module}"), name.replace("-", "_"))
    alone = typer.Typer(rich_markup_mode=MARKUP, pretty_exceptions_enable=False)
    if isinstance(found, typer.Typer):
        alone.add_typer(found, name=name)
    else:
        alone.command(name)(found)
    return get_group(alone).commands[name]
