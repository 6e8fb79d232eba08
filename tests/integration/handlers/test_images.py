"""Pictures: equal to transformers' pipelines, in a batch too; whatever is no picture is refused."""

import base64
import io
import json
import time
from pathlib import Path
from typing import Any

import pytest

from testbed.loaded_handler import load, write_manifest
from testbed.tiny_models import CATALOGUE, make, samples
from testbed.tiny_models.media import image
from tests.integration.handlers.handler_models import ask_golden, assert_same

GREEDY = {"do_sample": False, "max_new_tokens": 8}
WITH_PIPELINE = (
    "image-classification",
    "zero-shot-image-classification",
    "object-detection",
    "object-detection-yolos",
    "image-segmentation",
    "image-segmentation-maskformer",
    "document-question-answering",
    "document-question-answering-layoutlm",
    "document-question-answering-donut",
)


def opened(file: dict[str, str]) -> Any:
    from PIL import Image

    return Image.open(io.BytesIO(base64.b64decode(file["b64"])))


def encoded(picture: Any, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def ask_pipeline(pipeline: Any, instance: dict[str, Any], **parameters: Any) -> Any:
    """What the pipeline answers, masks as the base64 of a PNG."""
    if "b64" in instance:
        answer = pipeline(opened(instance), **parameters)
    else:
        answer = pipeline(
            {key: opened(value) if key == "image" else value for key, value in instance.items()}, **parameters
        )
    for region in answer:
        if "mask" in region:
            region["mask"] = base64.b64encode(encoded(region["mask"], "PNG")).decode()
    return answer


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make("image-classification", tmp_path_factory.mktemp("vit"))


@pytest.fixture(scope="module")
def bare(classifier: Path) -> Any:
    return load(classifier, envelope=None)


@pytest.mark.parametrize("name", WITH_PIPELINE)
@pytest.mark.filterwarnings("ignore:Using the model-agnostic default")
def test_answers_are_those_of_the_pipeline_alone_and_in_a_batch(
    transformers: Any, tmp_path: Path, name: str
) -> None:
    model = CATALOGUE[name]
    folder = make(name, tmp_path)
    pipeline = transformers.pipeline(model.task, model=str(folder), device="cpu")
    instances = samples(name)
    expected = [ask_pipeline(pipeline, instance, **model.parameters) for instance in instances]
    assert any(expected), "a model that finds nothing proves nothing"
    write_manifest(folder, config=f"handler: {{task: {model.task}}}")
    send = load(folder, envelope=None)
    answer = send({"instances": instances * 2, "parameters": model.parameters})
    assert answer.statuses == [200], answer.answers
    assert_same(answer.answers[0]["predictions"], expected * 2)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("image-classification", {"top_k": 2, "function_to_apply": "sigmoid"}),
        (
            "zero-shot-image-classification",
            {"candidate_labels": ["x", "a dog"], "hypothesis_template": "a {}"},
        ),
        ("object-detection", {"threshold": 0.95}),
        ("image-segmentation-maskformer", {"subtask": "instance", "threshold": 0.2, "mask_threshold": 0.3}),
        ("document-question-answering", {"top_k": 3, "max_answer_len": 2}),
        ("document-question-answering-layoutlm", {"max_seq_len": 14, "doc_stride": 2, "top_k": 2}),
        ("document-question-answering-layoutlm", {"handle_impossible_answer": True, "top_k": 2}),
    ],
)
def test_parameters_mean_what_they_mean_to_the_pipeline(
    transformers: Any, tmp_path: Path, name: str, parameters: dict[str, Any]
) -> None:
    folder = make(name, tmp_path)
    pipeline = transformers.pipeline(CATALOGUE[name].task, model=str(folder), device="cpu")
    (instance,) = samples(name)[:1]
    expected = ask_pipeline(pipeline, instance, **parameters)
    unlike = ask_pipeline(pipeline, instance, **CATALOGUE[name].parameters)
    assert json.dumps(expected) != json.dumps(unlike), "parameters that change nothing prove nothing"
    write_manifest(folder, config=f"handler: {{task: {CATALOGUE[name].task}}}")
    answer = load(folder, envelope=None)({"instances": [instance], "parameters": parameters})
    assert answer.statuses == [200], answer.answers
    assert_same(answer.answers[0]["predictions"], [expected])


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("visual-question-answering", "visual-question-answering"),
        ("visual-question-answering-blip", "visual-question-answering"),
        ("image-to-text", "image-to-text"),
        ("image-to-text-blip", "image-to-text"),
    ],
)
def test_answers_are_those_of_the_pipelines_that_transformers_5_lacks(
    tmp_path: Path, name: str, task: str
) -> None:
    cases, predictions = ask_golden(name, task, tmp_path)
    assert_same(predictions, [case["prediction"] for case in cases])


@pytest.fixture(scope="module")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make("image-text-to-text", tmp_path_factory.mktemp("llava"))


@pytest.fixture(scope="module")
def talk(llava: Path) -> Any:
    return load(llava, envelope=None)


def test_texts_and_conversations_about_pictures_are_those_of_the_pipeline(
    transformers: Any, llava: Path, talk: Any
) -> None:
    pipeline = transformers.pipeline("image-text-to-text", model=str(llava), device="cpu")
    plain, chat = samples("image-text-to-text")
    short: dict[str, Any] = {"images": image(9), "text": "<image> red?"}
    expected = [
        pipeline(images=opened(one["images"]), text=one["text"], generate_kwargs=GREEDY)
        for one in (plain, short)
    ]
    (part, question) = chat["messages"][0]["content"]
    asked = [{"role": "user", "content": [{"type": "image", "image": opened(part["image"])}, question]}]
    begun = [*asked, {"role": "assistant", "content": [{"type": "text", "text": "The"}]}]
    answered, continued = (
        pipeline(text=messages, generate_kwargs=GREEDY)[0]["generated_text"][-1]
        for messages in (asked, begun)
    )
    instances = [plain, short, chat, {"messages": [*chat["messages"], begun[1]]}]
    answer = talk({"instances": instances, "parameters": GREEDY})
    assert answer.statuses == [200], answer.answers
    *texts, (one,), (other,) = answer.answers[0]["predictions"]
    assert texts == expected
    place = [{"role": "user", "content": [{"type": "image"}, question]}]
    assert one == {"input_text": place, "generated_text": [*place, answered]}
    assert other["generated_text"] == [*place, continued]


def test_every_spelling_of_a_conversation_is_one_and_the_same(talk: Any) -> None:
    b64 = image(1)["b64"]
    parts = [
        {"type": "image", "image": {"b64": b64}},
        {"type": "image", "url": f"data:image/png;base64,{b64}"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{b64}"}},
    ]
    question = {"type": "text", "text": "What?"}
    bodies: list[Any] = [
        {"instances": [{"messages": [{"role": "user", "content": [part, question]}], **GREEDY}]}
        for part in parts
    ]
    bodies.append({"inputs": bodies[0]["instances"][0]["messages"], "parameters": GREEDY})
    answers = talk(*bodies)
    assert answers.statuses == [200] * 4, answers.answers
    *several, alone = answers.answers
    assert [one["predictions"] for one in several] == [[alone]] * 3


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ({"type": "image", "path": "/etc/hostname"}, "expected a file"),
        ({"type": "image", "url": "/etc/hostname"}, "b64 is not valid base64"),
        ({"type": "image", "url": "file:///etc/hostname"}, "handler.allowed_media_hosts"),
        ({"type": "image", "url": "http://127.0.0.1/x.png"}, "handler.allowed_media_hosts"),
        ({"type": "video", "path": "/etc/hostname"}, "must have the type text or image"),
    ],
)
def test_a_part_of_a_message_opens_no_path_and_no_address(
    talk: Any, part: dict[str, Any], reason: str
) -> None:
    answer = talk({"messages": [{"role": "user", "content": [part, {"type": "text", "text": "x"}]}]})
    assert answer.statuses == [400]
    assert reason in answer.answers[0]["error"]["message"]


def test_an_image_without_its_place_in_the_text_is_the_clients_mistake(talk: Any) -> None:
    assert talk({"image": [image(1), image(2)], "text": "<image> x"}).statuses == [422]


def test_every_spelling_of_a_picture_is_one_and_the_same(bare: Any) -> None:
    file = image(4)
    raw = base64.b64decode(file["b64"])
    json_bodies = [
        {"instances": [file]},
        {"instances": [{"data": file}]},
        {"instances": [{"image": file}]},
        {"instances": [{"inputs": file}]},
        {"instances": [{"image": file["b64"]}]},
        {"instances": [{"image": f"data:image/png;base64,{file['b64']}"}]},
    ]
    answers = [one["predictions"][0] for one in bare(*json_bodies).answers]
    answers += bare(raw, bytearray(raw), content_type="image/png").answers
    assert len(answers) == 8
    assert len({json.dumps(one) for one in answers}) == 1


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *((kind, "RGB") for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")),
        ("PNG", "P"), ("PNG", "RGBA"), ("JPEG", "CMYK"), ("GIF", "L"), ("TIFF", "I;16"),
    ],
)  # fmt: skip
def test_formats_are_read_as_the_pipeline_reads_them(
    transformers: Any, classifier: Path, bare: Any, kind: str, mode: str
) -> None:
    from PIL import Image

    first, second = (opened(image(seed)).convert(mode) for seed in (11, 12))
    options = {"save_all": True, "append_images": [second]} if kind == "GIF" else {}
    if kind == "JPEG":
        exif = Image.Exif()
        exif[0x0112] = 6  # taken with the camera on its side
        options["exif"] = exif
    raw = encoded(first, kind, **options)
    pipeline = transformers.pipeline("image-classification", model=str(classifier), device="cpu")
    expected = pipeline(Image.open(io.BytesIO(raw)))
    assert_same(bare(raw, content_type=f"image/{kind.lower()}").answers[0], expected)


@pytest.mark.parametrize("limit", [1000, 60_000_000])
def test_pictures_with_too_many_pixels_are_refused_before_they_are_decoded(
    tmp_path: Path, limit: int
) -> None:
    from PIL import Image

    folder = make("image-classification", tmp_path)
    write_manifest(folder, config=f"handler: {{max_image_pixels: {limit}, parameters: {{top_k: 1}}}}")
    if limit == 1000:
        with pytest.raises(Exception, match="32 x 32 pixels"):  # its own example is larger
            load(folder, envelope=None)
        return
    send = load(folder, envelope=None)
    bomb = encoded(Image.new("1", (14_000, 14_000)), "PNG")
    large = encoded(Image.new("1", (8_000, 8_000)), "PNG")
    assert len(bomb) < 50_000
    started = time.monotonic()
    answer = send(bomb, large, content_type="image/png")
    assert time.monotonic() - started < 1
    assert answer.statuses == [413, 413]
    assert "more than 60000000" in answer.answers[1]["error"]["message"]


def test_what_is_no_picture_is_refused_and_the_rest_of_the_batch_answered(bare: Any) -> None:
    from PIL import Image

    raw = base64.b64decode(image(4)["b64"])
    noise = encoded(Image.effect_noise((64, 64), 50), "JPEG")
    line = encoded(Image.new("L", (4000, 2)), "PNG")
    bodies = [b"", b"hello", raw[: len(raw) // 2], noise[:-200], line, b"%!PS-Adobe-3.0 EPSF-3.0\n", raw]
    answer = bare(*bodies, content_type="image/png")
    assert answer.statuses == [415, 415, 422, 422, 422, 415, 200]
    assert "damaged" in answer.answers[2]["error"]["message"]
    assert "PNG, JPEG, WEBP" in answer.answers[1]["error"]["message"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"instances": ["/etc/hostname"]}, "base64"),
        ({"instances": ["https://example.com/cat.png"]}, "handler.allowed_media_hosts"),
        ({"instances": [7]}, 'expected a file as {"b64": "..."}, got int'),
        ({"instances": [{"image": {"b64": "%%%"}}]}, "b64 is not valid base64"),
        ({"instances": [{"image": image(1), "top_k": 0}]}, "top_k must be"),
    ],
)
def test_anything_but_a_file_is_the_clients_mistake(bare: Any, body: Any, reason: str) -> None:
    answer = bare(body)
    assert answer.statuses == [400]
    assert reason in answer.answers[0]["error"]["message"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"word_boxes": [["a", [10, 0, 5, 5]]]}, 422),
        ({"word_boxes": [["a", [0, 0, 5, 1001]]]}, 400),
        ({"word_boxes": [["a", [0, 0, 5]]]}, 400),
        ({"word_boxes": [[1, [0, 0, 5, 5]]]}, 400),
        ({"word_boxes": []}, 400),
        ({"question": " "}, 400),
        ({"question": "what " * 500}, 422),
        ({"parameters": {"max_seq_len": 5}}, 422),
        ({"parameters": {"doc_stride": 1000}}, 422),
        ({"word_boxes": [["the ", [0, 0, 5, 5]]] * 500}, 200),
    ],
)
def test_words_and_boxes_that_cannot_be_are_refused(
    tmp_path: Path, change: dict[str, Any], status: int
) -> None:
    send = load(make("document-question-answering-layoutlm", tmp_path), envelope=None)
    instance = {**samples("document-question-answering-layoutlm")[0], **change}
    assert send({"instances": [instance]}).statuses == [status]
