"""Links of documents lead to the pages that show what they name."""

import re

from scripts.site.repository import ROOT, documents, with_site_links

_PAGES = {
    "README.md",
    "component/README.md",
    "docs/clients.md",
    "docs/decisions/index.md",
    "docs/pictures/a.png",
    "src/errors.py.md",
}


def _from_clients(link: str) -> str:
    return with_site_links(f"see [it]({link})", "docs/clients.md", _PAGES)


def test_a_document_is_linked_as_in_the_repository() -> None:
    assert _from_clients("../component/README.md#inputs") == "see [it](../component/README.md#inputs)"
    assert _from_clients("pictures/a.png") == "see [it](pictures/a.png)"


def test_code_and_folders_are_linked_by_their_pages() -> None:
    assert _from_clients("../src/errors.py") == "see [it](../src/errors.py.md)"
    assert _from_clients("../component") == "see [it](../component/README.md)"
    assert _from_clients("decisions/") == "see [it](decisions/index.md)"


def test_what_leads_elsewhere_or_is_code_stays() -> None:
    assert _from_clients("https://example.org/a.py") == "see [it](https://example.org/a.py)"
    assert _from_clients("#limits") == "see [it](#limits)"
    block = "```\n[it](../src/errors.py)\n```\n"
    assert with_site_links(block, "docs/clients.md", _PAGES) == block


def test_the_documents_of_every_place_are_pages() -> None:
    assert {"README.md", "component/README.md", "docs/tutorial.md", "benchmarks/results/drain.md"} <= set(
        documents()
    )


def test_what_belongs_to_a_list_is_indented_by_four_columns() -> None:
    """With fewer, which GitHub takes too, the site's list ends there and the next begins with 1 again."""
    fence = re.compile(r"^(`{3,})\w*$.*?^\1$", re.MULTILINE | re.DOTALL)
    for document in documents():
        text = fence.sub("", (ROOT / document).read_text())
        assert re.findall(r"\n\n {1,3}\S.*|^ {1,3}```.*", text, re.MULTILINE) == [], document
