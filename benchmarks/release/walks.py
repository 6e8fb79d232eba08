"""What a user does with what was installed."""

from collections.abc import Callable
from pathlib import Path

from benchmarks.release.fresh_environment import FreshEnvironment

_PIPELINE = """\
from kfp import compiler, dsl
from vertex_torchserve.kfp import deploy_pytorch_model, smoke_test_pytorch_model, upload_pytorch_model

@dsl.pipeline(name="release")
def pipeline(uri: str) -> None:
    trained = dsl.importer(artifact_uri=uri, artifact_class=dsl.Artifact, reimport=False)
    upload_pytorch_model(
        gcs_model_path=trained.output, project_id="my-project", location="europe-west2",
        local_model_file="model.pt", model_display_name="mine",
    )

compiler.Compiler().compile(pipeline, "pipeline.yaml")
"""
Walk = Callable[[FreshEnvironment, Path], None]


def shown_help(environment: FreshEnvironment, work: Path) -> None:
    """Without any extra: the help."""
    environment.command("vertex-torchserve", "--help", cwd=work)


def pipeline(environment: FreshEnvironment, work: Path) -> None:
    """With [kfp]: the components are imported, and a pipeline is compiled."""
    program = work / "pipeline.py"
    program.write_text(_PIPELINE)
    environment.command("python", program, cwd=work)
    (work / "pipeline.yaml").unlink()  # an error when it was not written


def own_handler(environment: FreshEnvironment, work: Path) -> None:
    """With [serve]: a handler of one's own becomes an archive that is checked, served and asked."""
    _prove(environment, work, "handler")


def reference_handler(environment: FreshEnvironment, work: Path) -> None:
    """With [all]: an archive of the reference handler, proved, which loads transformers."""
    _prove(environment, work, "reference")


def demo(environment: FreshEnvironment, work: Path) -> None:
    """With [all]: the whole way, a pipeline, the registry, an endpoint, a batch job."""
    output = work / "demo"
    environment.command("vertex-torchserve", "demo", "--output", output, cwd=work)
    (output / "summary.json").unlink()  # an error when it was not written


def _prove(environment: FreshEnvironment, work: Path, house: str) -> None:
    """A new project's own way: `package`, `golden record`, `check`, `smoke-test`."""
    environment.command("vertex-torchserve", "init", house, "--house", house, cwd=work)
    environment.command("make", "golden", "prove", cwd=work / house)
