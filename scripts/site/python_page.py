"""The page of the Python API: what each package offers, from its docstrings, by mkdocstrings."""

# Each with what a reader looks for there, in the order of the way from a folder to traffic.
MODULES = {
    "vertex_torchserve.model_archive": "Package a model",
    "vertex_torchserve.archive_check.check": "Check an archive",
    "vertex_torchserve.smoke_test.run": "Prove that it serves",
    "vertex_torchserve.smoke_test.report": "What a proof saw",
    "vertex_torchserve.serving_plan": "What is served, and how",
    "vertex_torchserve.vertex_ai": "Register, deploy, ask",
    "vertex_torchserve.release.promotion": "Promote",
    "vertex_torchserve.golden.record": "Golden requests",
    "vertex_torchserve.conformance.image": "Try an image",
    "vertex_torchserve.derived_image": "Derive an image",
    "vertex_torchserve.kfp": "In a pipeline",
    "vertex_torchserve.emulator": "The emulator",
    "vertex_torchserve.model_project": "Begin a project",
    "vertex_torchserve.doctor": "This machine",
    "vertex_torchserve.gcs": "Cloud Storage",
    "vertex_torchserve.errors": "Errors",
}
_HEAD = """\
# Python API

What each command does is a call; the commands themselves have nothing that these don't.
Made from the docstrings.
"""


def page() -> str:
    """The page's Markdown, with mkdocstrings' directives."""
    return "\n".join([_HEAD, *(f"## {title}\n\n::: {module}\n" for module, title in MODULES.items())])
