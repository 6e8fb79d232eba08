"""MkDocs' hook: brings the repository's documents from where they lie, and the pages made from the code."""

from collections.abc import Callable
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from scripts.site import commands_page, environment_page, messages_page, python_page
from scripts.site.repository import ROOT, documents, pictures, with_site_links
from scripts.site.source_pages import source_pages
from vertex_torchserve import __version__

_MADE: dict[str, Callable[[], str]] = {
    "docs/commands.md": commands_page.page,
    "docs/environment.md": environment_page.page,
    "docs/messages.md": messages_page.page,
    "docs/python.md": python_page.page,
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Say the version; put documents for a folder of the navigation, and those not named under "How to"."""
    config.copyright = f"vertex-torchserve {__version__}"
    shown = documents()
    named = set(_MADE)

    def expanded(item: Any) -> Any:
        if isinstance(item, dict):
            return {title: expanded(inner) for title, inner in item.items()}
        if isinstance(item, list):
            return [expanded(inner) for inner in item]
        inside = [each for each in shown if each.startswith(item)] if item.endswith("/") else [item]
        named.update(inside)
        return inside if item.endswith("/") else item

    config.nav = expanded(config.nav)
    [how_to] = [item["How to"] for item in config.nav if "How to" in item]
    how_to += [each for each in shown if each not in named]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Make the site's files: documents and pictures where they lie, and the made pages."""
    for file in [each for each in files if each.src_dir == config.docs_dir]:
        files.remove(file)
    for path in [*documents(), *pictures()]:
        files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
    made = {name: page() for name, page in _MADE.items()}
    known = {*documents(), *pictures(), *made}
    for name, text in {**made, **source_pages(known)}.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Let links lead to the pages that show what they name."""
    return with_site_links(markdown, page.file.src_uri, {file.src_uri for file in files})
