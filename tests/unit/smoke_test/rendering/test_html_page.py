"""The HTML page of a report: what is in it, and that it needs nothing else and lets nothing through."""

import re
from html.parser import HTMLParser
from typing import Any

from tests.unit.smoke_test.rendering.reports import AS_SHOWN, FAILED, PASSED
from vertex_torchserve.smoke_test.rendering.html_page import html_page

# All that the page itself is made of, by HTML and by SVG.
TAGS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "main",
        "section",
        "footer",
        "div",
        "p",
        "span",
    ),
    *("h1", "h2", "small", "b", "i", "em", "code", "pre", "time", "data", "ul", "ol", "li", "dl", "dt", "dd"),
    *("details", "summary", "figure", "table", "thead", "tr", "th", "td"),
    *("svg", "g", "path", "defs", "use", "text", "tspan", "clippath", "rect"),
}


class Reader(HTMLParser):
    """Gathers tags, attributes and texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_what_is_in_it() -> None:
    text = " ".join(" ".join(Reader(html_page(PASSED)).texts).split())
    for expected in (
        "✓ It serves", "model.mar · 91.6 MB · served in process", "9.2 s ready after", "60 answers/s at most",
        "ready after 9.25 s", "imports cv2", "Fix: package it", "netty is of 2020", "ab" * 32,
        "torch 2.13.0+cpu", '{"label": "POSITIVE", "score": 0.75}', "1 worker of 2 threads, batches of 16",
        "the worker loads the model", "predict route /predictions/model", "variables THRESHOLD",
        "What the proof does not cover proved with transformers 5.23.0, the serving image has 5.20.0",
        "compared with the serving image: Python, torch, transformers",
    ):  # fmt: skip
        assert expected in text, expected
    assert "What failed" not in text


def test_a_failed_check_is_shown_first_and_open() -> None:
    page = html_page(FAILED)
    text = " ".join(Reader(page).texts)
    assert "✗ It does not serve" in text
    assert text.index("What failed: ready") < text.index("Checks")
    assert page.count("<details open>") == 1
    assert "(did not end)" in text


def test_each_difference_from_the_expected_answer_is_told() -> None:
    text = " ".join(" ".join(Reader(html_page(FAILED)).texts).split())
    assert "Where the answers differ 2" in text
    assert "predictions[0].score 0.75 0.5 0.25" in text
    assert "Where the answers differ" not in html_page(PASSED)


def test_it_needs_no_file_no_script_and_no_network() -> None:
    page = html_page(PASSED)
    reader = Reader(page)
    assert reader.tags <= TAGS
    references = [
        (name, value) for name, value in reader.attributes if name.endswith(("href", "src", "srcset"))
    ]
    assert references
    assert all(value.startswith("#") for _, value in references)
    assert not re.findall(r"url\((?!#)|@import", page)
    assert "default-src 'none'; style-src 'unsafe-inline'" in page
    assert len(page) < 100_000


def test_what_a_handler_writes_stays_text() -> None:
    page = html_page(FAILED)
    reader = Reader(page)
    assert reader.tags <= TAGS
    assert not any(name.startswith("on") for name, _ in reader.attributes)
    assert " ".join(reader.texts).count(AS_SHOWN) >= 8
    page.encode()


def test_ids_are_there_once_and_referred_to() -> None:
    page = html_page(PASSED)
    ids = [value for name, value in Reader(page).attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {f"#{found}" for found in ids} >= set(re.findall(r'(?:href="|url\()(#[^")]+)', page))


def test_the_same_report_gives_the_same_page() -> None:
    assert html_page(PASSED) == html_page(PASSED)


def test_the_plots_follow_the_pages_theme() -> None:
    colours: list[Any] = re.findall(r"(?:fill|stroke): (#[0-9a-f]+)", html_page(PASSED))
    assert colours == []
