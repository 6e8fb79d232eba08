"""The playground in Chromium: a form for each kind of instance, and answers as people like to see them."""

import json
import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from testbed.archives import write_archive
from testbed.deadlines import ANSWER_SECONDS, PROGRAM_SECONDS, READY_SECONDS
from vertex_torchserve.handler_interface.program import told
from vertex_torchserve.local_service.example import ServedModel
from vertex_torchserve.local_service.playground import Playground
from vertex_torchserve.serving_plan import ContainerSpec, ServingPlan
from vertex_torchserve.smoke_test.served_plan import served

# Answers as the reference handler does for each task, at once: what is looked at here is the page.
HANDLER = """\
import json
import time
from pathlib import Path
from ts.handler_utils.utils import send_intermediate_predict_response

def written(text, chat, context):
    # In two parts: the second waits until the file that the text names is there, at most ten seconds.
    context.set_response_content_type(0, "text/event-stream" if chat else "application/x-ndjson")
    for part in ("Once\\n", "upon"):
        told = json.dumps({"choices": [{"delta": {"content": part}}]} if chat else {"text": part})
        sent = f"data: {told}\\n\\n" if chat else f"{told}\\n"
        send_intermediate_predict_response({0: sent}, {0: context.request_ids[0]}, "", 200, context)
        if text == "fail":
            raise ValueError("told to")
        ends = time.monotonic() + 10
        while not Path(text).exists() and time.monotonic() < ends:
            time.sleep(0.01)

def answer(instance):
    if isinstance(instance, (bytes, bytearray)):
        label = "<b>cat</b>, as long as a label may be that says what was found"
        return [{"score": 0.9, "label": label, "box": {"xmin": 2, "ymin": 1, "xmax": 8, "ymax": 6}}]
    if "messages" in instance:
        said = instance["messages"][-1]["content"]
        return {"choices": [{"message": {"role": "assistant", "content": f"You said {said}"}}]}
    if "table" in instance:
        return {"answer": ", ".join(instance["table"])}
    if "Anna" in instance:
        return [{"entity_group": "PER", "score": 0.9, "word": "Anna", "start": 0, "end": 4}]
    if "fail" in instance:
        raise ValueError("told to")
    return [{"label": "POSITIVE", "score": 0.75}, {"label": "NEGATIVE", "score": 0.25}]

def handle(data, context):
    if data is None:
        return None
    [instance], [parameters] = data, context.instance_parameters
    chat = isinstance(instance, dict) and "messages" in instance
    if parameters.get("stream") or (chat and instance.get("stream")):
        written(instance["messages"][-1]["content"] if chat else instance["inputs"], chat, context)
        if chat:
            context.instance_bodies[0] = "data: [DONE]\\n\\n"
        return [[{"generated_text": "Once\\nupon"}]]
    if chat:  # Vertex AI's convention: not a list
        context.instance_bodies[0] = json.dumps({"predictions": answer(instance)})
    return [answer(instance)]
"""

LABEL = "<b>cat</b>, as long as a label may be that says what was found"


def picture() -> bytes:
    """A grey PNG of 10 times 10 dots."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 10, 10, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x80" * 10) * 10)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the handler answers."""
    mar = write_archive(tmp_path_factory.mktemp("archive"), HANDLER)
    plan = ServingPlan.of(mar, ContainerSpec(""))
    with served(plan, in_container=False) as server:
        server.wait_ready(READY_SECONDS)
        yield f"{server.base_url}{plan.predict_route}"


@pytest.fixture(scope="module")
def playground() -> Iterator[Playground]:
    with Playground() as running:
        yield running


@pytest.fixture
def page(
    browser: Any, playground: Playground, url: str, handler_path: None, request: pytest.FixtureRequest
) -> Iterator[Any]:
    """The page of a model of the task that the test names."""
    said = told({"task": request.param}, [], Path())
    playground.show(ServedModel("mine", url, said["task"], instance=said["example"], schemas=said["schemas"]))
    opened = browser.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    opened.goto(playground.url)
    yield opened
    opened.close()
    assert [each for each in faults if "status of 5" not in each] == []


def answered(page: Any) -> Any:
    """Ask, and wait for the answer."""
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("status")).to_have_text(
        re.compile(r"^\d+\.\d\d s$"), timeout=1000 * ANSWER_SECONDS
    )
    return page.get_by_role("region", name="answer")


@pytest.mark.parametrize("page", ["text-classification"], indirect=True)
def test_labels_are_bars_and_the_request_is_written(page: Any, url: str) -> None:
    assert page.title() == "mine, playground"
    page.get_by_label("text").fill("it's good")
    page.get_by_text("Parameters").click()
    page.get_by_label("top_k").fill("2")
    answer = answered(page)
    bars = answer.locator(".bar > div > div")
    assert bars.evaluate_all("bars => bars.map(bar => bar.style.width)") == ["75%", "25%"]
    assert answer.locator(".bar > span").all_inner_texts() == ["POSITIVE", "0.750", "NEGATIVE", "0.250"]
    body = """{"instances":["it'\\''s good"],"parameters":{"top_k":2}}"""
    curl = page.get_by_role("region", name="as curl").locator("pre").inner_text()
    assert curl == f"curl {url} \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'"
    python = page.get_by_role("region", name="as Python").locator("pre").inner_text()
    assert """json={"instances": ["it's good"], "parameters": {"top_k": 2}},""" in python
    page.get_by_label("text").fill("fail")
    assert answered(page).locator(".error").inner_text().startswith("500: ")


@pytest.mark.parametrize("page", ["object-detection"], indirect=True)
def test_boxes_are_drawn_on_the_picture(page: Any, tmp_path: Path) -> None:
    (tmp_path / "grey.png").write_bytes(picture())
    page.get_by_label("file").set_input_files(str(tmp_path / "grey.png"))
    expect(page.locator("#curl")).to_contain_text("grey.png")
    box = answered(page).locator(".box")
    box.wait_for()
    assert box.evaluate("box => [box.style.left, box.style.top, box.style.width, box.style.height]") == [
        "20%", "10%", "60%", "50%",
    ]  # fmt: skip
    assert box.inner_text() == f"{LABEL} 0.90"
    assert answered(page).locator(".bar > span").all_inner_texts() == [LABEL, "0.900"]


@pytest.mark.parametrize("page", ["object-detection"], indirect=True)
def test_the_lines_of_a_file_ask_the_same_as_the_page(page: Any, tmp_path: Path) -> None:
    (tmp_path / "it's.png").write_bytes(picture())
    page.get_by_label("file").set_input_files(str(tmp_path / "it's.png"))
    expect(page.locator("#curl")).to_contain_text("base64 < ")
    for program, line in (("bash", "#curl"), (sys.executable, "#python")):
        asked = page.locator(line).inner_text()
        said = subprocess.check_output(
            [program, "-c", asked], cwd=tmp_path, text=True, timeout=PROGRAM_SECONDS
        )
        assert LABEL in said


@pytest.mark.parametrize("page", ["object-detection"], indirect=True)
def test_a_phone_shows_all_of_it_without_scrolling_sideways(page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    answered(page).locator(".box").wait_for()
    assert page.locator("html").evaluate("page => page.scrollWidth") == 390


@pytest.mark.parametrize("page", ["token-classification"], indirect=True)
def test_spans_are_marked_in_the_text(page: Any) -> None:
    marks = answered(page).locator("mark")
    assert marks.all_inner_texts() == ["AnnaPER"]


@pytest.mark.parametrize("page", ["table-question-answering"], indirect=True)
def test_a_table_is_written_in_lines(page: Any) -> None:
    page.get_by_label("table").fill("name, city\nAnna, Berlin")
    assert answered(page).locator("p").first.inner_text() == "name, city"


@pytest.mark.parametrize("page", ["text-generation"], indirect=True)
def test_a_chat_goes_on(page: Any) -> None:
    page.get_by_role("button", name="Chat instead").click()
    page.get_by_label("message", exact=True).fill("Good morning")
    assert answered(page).locator("p").first.inner_text() == "You said Good morning"
    assert page.locator(".message").all_inner_texts() == [
        "user: Good morning", "assistant: You said Good morning",
    ]  # fmt: skip


def test_only_the_page_itself_asks(playground: Playground, url: str) -> None:
    playground.show(ServedModel("mine", url))
    body = json.dumps({"instances": ["x"]})
    assert httpx.get(playground.url, headers={"Host": "evil.example"}).status_code == 400
    form = httpx.post(f"{playground.url}ask", content=body, headers={"Content-Type": "text/plain"})
    assert form.status_code == 415
    asked = httpx.post(f"{playground.url}ask", content=body, headers={"Content-Type": "application/json"})
    assert asked.json()["predictions"][0][0]["label"] == "POSITIVE"
    assert "default-src 'none'" in httpx.get(playground.url).headers["content-security-policy"]


@pytest.mark.parametrize("page", ["text-generation"], indirect=True)
@pytest.mark.parametrize("chat", [False, True], ids=["text", "chat"])
def test_a_text_is_shown_while_it_is_written(page: Any, chat: bool, tmp_path: Path) -> None:
    if chat:
        page.get_by_role("button", name="Chat instead").click()
    may_end = tmp_path / "may end"
    page.locator("#fields textarea").fill(str(may_end))
    page.get_by_label("Show the answer while it is written").check()
    asked = [page.locator(line).inner_text() for line in ("#curl", "#python")]
    page.get_by_role("button", name="Ask").click()
    shown = page.get_by_role("region", name="answer").locator("p")
    expect(shown).to_have_text("Once")
    assert page.get_by_role("status").inner_text() == "asking"
    may_end.touch()
    expect(page.get_by_role("status")).to_have_text(re.compile(r"^\d+\.\d\d s$"))
    assert shown.inner_text() == "Once\nupon"
    if chat:
        assert page.locator(".message").all_inner_texts() == [f"user: {may_end}", "assistant: Once\nupon"]
    for program, line in zip(("bash", sys.executable), asked, strict=True):
        said = subprocess.check_output([program, "-c", line], text=True, timeout=PROGRAM_SECONDS)
        assert "upon" in said
        assert ("data: [DONE]" in said) == chat


@pytest.mark.parametrize("page", ["text-generation"], indirect=True)
def test_what_fails_after_the_first_part_is_told(page: Any) -> None:
    page.locator("#fields textarea").fill("fail")
    page.get_by_label("Show the answer while it is written").check()
    assert answered(page).locator(".error").inner_text().startswith("Error: the prediction failed")
