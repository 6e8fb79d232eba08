"""Settings of the reference handler."""

import ast
import difflib
from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject

# The handler's module whose class `Settings` has a field for each key.
_SETTINGS = "hf_handler/settings.py"


@rule
def handler_settings_known(subject: Subject) -> Iterator[Finding]:
    """The mapping `handler` in model-config.yaml has only keys that the reference handler knows.

    The handler refuses others when the model is loaded. Which it knows is read from the archive's own copy.

    Fix: correct the key; handlers/README.md has all of them.
    """
    settings = subject.config.get("handler")
    if not subject.is_archive or not subject.by_reference_handler or settings is None:
        return
    if not isinstance(settings, dict):
        yield error(
            subject.config_name or "", "`handler` is no mapping", "write it as `handler: {task: ...}`"
        )
        return
    known = _known(subject)
    for key in settings:
        if known and key not in known:
            meant = difflib.get_close_matches(str(key), known, n=1)
            yield error(
                subject.config_name or "",
                f"handler.{key} is no setting of the reference handler; accepted: {', '.join(known)}",
                f"write it as {meant[0]}" if meant else "remove it",
            )


def _known(subject: Subject) -> list[str]:
    if not subject.holds(_SETTINGS):
        return []
    classes = [node for node in subject.python(_SETTINGS).classes() if node.name == "Settings"]
    fields = [node.target for each in classes for node in each.body if isinstance(node, ast.AnnAssign)]
    return [target.id for target in fields if isinstance(target, ast.Name)]
