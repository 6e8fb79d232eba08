"""What every HTML page of a report is made with: templates that escape, and one style."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vertex_torchserve.smoke_test.rendering.printable import printable

if TYPE_CHECKING:
    import jinja2


def page_environment(folder: Path) -> "jinja2.Environment":
    """The environment of a folder's templates. Every text is escaped; `style` is the style sheet.

    Args:
        folder: Where the templates lie.
    """
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        finalize=_finalized,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    environment.globals["style"] = Markup(style)  # noqa: S704 (our own)
    return environment


def _finalized(value: Any) -> Any:
    return printable(value) if type(value) is str else value
