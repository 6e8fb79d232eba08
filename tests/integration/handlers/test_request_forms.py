"""Chats, completions and embeddings as OpenAI's API has them, in process."""

import base64
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from testbed.loaded_handler import load
from testbed.packaged_models import served
from testbed.tiny_models import make, samples
from tests.unit.handlers.instances import near
from vertex_torchserve.serving.envelope.model_service_worker import register_envelope

MESSAGES = [{"role": "user", "content": "Tell me a story about a dragon."}]
CHAT = {"messages": MESSAGES, "max_tokens": 8, "min_tokens": 8, "temperature": 0}
FORMAT = "@requestFormat"
TOOL = {
    "type": "function",
    "function": {"name": "weather", "description": "The weather.", "parameters": {"type": "object"}},
}
TOOLS_TEMPLATE = (
    "{% for tool in tools or [] %}{{ tool | tojson }}{% endfor %}"
    "{% for message in messages %}{% if loop.index0 and message.role == messages[loop.index0 - 1].role %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}"
    "<|{{ message['role'] }}|>{{ message['content'] }}</s>{% endfor %}<|assistant|>"
)


def body(answer: tuple[int, Any]) -> Any:
    status, content = answer
    assert status == 200, content
    return content


def chat(**fields: Any) -> dict[str, Any]:
    return {"instances": [{FORMAT: "chatCompletions", **CHAT, **fields}]}


def test_vertex_s_chat_is_answered_with_the_completion_as_predictions() -> None:
    completion = body(served("text-generation").answer(chat(model="dragon")))["predictions"]
    length = {"max_tokens": 8, "min_new_tokens": 8}
    own = {"messages": MESSAGES, **length, "do_sample": False, "return_full_text": False}
    ((record,),) = body(served("text-generation").answer({"instances": [own]}))["predictions"]
    assert completion["id"].startswith("chatcmpl-")
    assert completion["created"] > 1_700_000_000
    assert {name: completion[name] for name in ("object", "model", "choices")} == {
        "object": "chat.completion",
        "model": "dragon",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": record["generated_text"]},
                "logprobs": None,
                "finish_reason": "length",
            }
        ],
    }
    usage = completion["usage"]
    assert usage["completion_tokens"] == 8
    assert usage["total_tokens"] == usage["prompt_tokens"] + 8


def test_a_whole_body_is_answered_by_itself() -> None:
    in_vertex_s = body(served("text-generation").answer(chat()))["predictions"]
    alone = body(served("text-generation").answer(CHAT))
    assert alone["choices"] == in_vertex_s["choices"]
    assert alone["model"] == "model"


def test_several_chats_in_one_request_are_a_list() -> None:
    (instance,) = chat()["instances"]
    completions = body(served("text-generation").answer({"instances": [instance, instance]}))["predictions"]
    assert [completion["object"] for completion in completions] == ["chat.completion"] * 2


def test_choices_stops_and_log_probabilities() -> None:
    sampled = body(served("text-generation").answer({**CHAT, "temperature": 1.5, "n": 3, "seed": 5}))
    again = body(served("text-generation").answer({**CHAT, "temperature": 1.5, "n": 3, "seed": 5}))
    assert sampled["choices"] == again["choices"]
    assert [choice["index"] for choice in sampled["choices"]] == [0, 1, 2]
    assert sampled["usage"]["completion_tokens"] <= 24

    text = body(served("text-generation").answer(CHAT))["choices"][0]["message"]["content"]
    (stopped,) = body(served("text-generation").answer({**CHAT, "stop": text[4:7]}))["choices"]
    assert stopped["finish_reason"] == "stop"
    assert stopped["message"]["content"] == text[: text.index(text[4:7])]

    (told,) = body(served("text-generation").answer({**CHAT, "logprobs": True, "top_logprobs": 2}))["choices"]
    content = told["logprobs"]["content"]
    assert len(content) == 8
    assert all(set(token) == {"token", "logprob", "bytes", "top_logprobs"} for token in content)
    assert all(len(token["top_logprobs"]) == 2 for token in content)
    assert all(bytes(token["bytes"]).decode() == token["token"] for token in content)


def test_completions_of_one_text_and_of_several() -> None:
    asked = {"prompt": "The train", "max_tokens": 6, "temperature": 0}
    one = body(served("text-generation").answer(asked))
    assert one["object"] == "text_completion"
    assert one["choices"][0]["finish_reason"] == "length"
    two = body(served("text-generation").answer({**asked, "prompt": ["The train", "Once"], "echo": True}))
    assert [choice["index"] for choice in two["choices"]] == [0, 1]
    assert two["choices"][0]["text"] == "The train" + one["choices"][0]["text"]
    assert two["usage"]["completion_tokens"] == 12
    vertex = body(served("text-generation").answer({"instances": [{FORMAT: "completions", **asked}]}))
    assert vertex["predictions"]["choices"] == one["choices"]
    listed = body(served("text-generation").answer({**asked, "logprobs": 2}))["choices"][0]["logprobs"]
    assert {len(listed[name]) for name in listed} == {6}
    assert listed["text_offset"][0] == 0
    usual = body(served("text-generation").answer({"prompt": "The train", "temperature": 0}))
    assert usual["usage"]["completion_tokens"] == 16


def test_embeddings_as_numbers_and_as_base64() -> None:
    texts = samples("sentence-embeddings")[:2]
    own = body(served("sentence-embeddings").answer({"instances": texts}))["predictions"]
    answer = body(served("sentence-embeddings").answer({"input": texts, "model": "m"}))
    assert answer["object"] == "list"
    assert [entry["index"] for entry in answer["data"]] == [0, 1]
    assert [entry["embedding"] for entry in answer["data"]] == own
    assert answer["usage"]["prompt_tokens"] == answer["usage"]["total_tokens"] > 4
    short = {"input": texts[0], "encoding_format": "base64", "dimensions": 4}
    (entry,) = body(served("sentence-embeddings").answer(short))["data"]
    vector = struct.unpack("<4f", base64.b64decode(entry["embedding"]))
    asked = {"instances": [texts[0]], "parameters": {"dimensions": 4}}
    (expected,) = body(served("sentence-embeddings").answer(asked))["predictions"]
    assert list(vector) == pytest.approx(expected, abs=1e-6)


def test_pictures_in_messages() -> None:
    picture = next(sample for sample in samples("image-text-to-text") if "messages" in sample)
    answer = body(
        served("image-text-to-text").answer({**picture, "max_tokens": 4, "temperature": 0, "logprobs": True})
    )
    assert answer["usage"]["completion_tokens"] == 4
    assert len(answer["choices"][0]["logprobs"]["content"]) == 4


REFUSED = (
    (
        "text-generation",
        {FORMAT: "responses", **CHAT},
        "@requestFormat 'responses' is unknown; accepted: chat",
    ),
    (
        "text-classification",
        {FORMAT: "chatCompletions", **CHAT},
        "@requestFormat 'chatCompletions' is unknown",
    ),
    ("text-generation", {FORMAT: 7, **CHAT}, "@requestFormat must be a string, got int"),
    ("text-generation", {FORMAT: "chatCompletions", "prompt": "a"}, "chatCompletions takes no prompt"),
    (
        "text-generation",
        {FORMAT: "chatCompletions", **CHAT, "prompt": "a"},
        "chatCompletions takes no prompt",
    ),
    ("text-generation", {FORMAT: "chatCompletions"}, "messages is missing"),
    ("text-generation", {FORMAT: "chatCompletions", "messages": []}, "messages must be a list of length at"),
    (
        "text-generation",
        {FORMAT: "chatCompletions", "messages": [{"role": "king", "content": "a"}]},
        "messages[0].role must be one of system, developer, user, assistant, tool, got 'king'",
    ),
    (
        "text-generation",
        {FORMAT: "chatCompletions", "messages": [{"role": "tool", "content": "a"}]},
        "messages[0].role is out of order",
    ),
    (
        "text-generation",
        {FORMAT: "chatCompletions", "messages": [{"role": "user"}]},
        "messages[0].content is missing",
    ),
    (
        "text-generation",
        {
            FORMAT: "chatCompletions",
            "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}],
        },
        "messages[0].content[0] must be a part of the type text",
    ),
    ("text-generation", {FORMAT: "chatCompletions", **CHAT, "tools": [TOOL]}, "tools: the model's chat temp"),
    (
        "text-generation",
        {FORMAT: "chatCompletions", **CHAT, "top_logprobs": 2},
        "top_logprobs takes logprobs",
    ),
    (
        "text-generation",
        {FORMAT: "chatCompletions", **CHAT, "response_format": {"type": "json_object"}},
        "response_format.type must be text",
    ),
    (
        "text-generation",
        {
            FORMAT: "chatCompletions",
            **CHAT,
            "response_format": {"type": "json_schema", "json_schema": {"name": "a"}},
        },
        "response_format.type must be text, got 'json_schema'",
    ),
    ("text-generation", {FORMAT: "chatCompletions", **CHAT, "logit_bias": {"5": 1}}, "unknown logit_bias: 5"),
    (
        "text-generation",
        {FORMAT: "chatCompletions", **CHAT, "max_completion_tokens": 3},
        "max_tokens and max_completion_tokens are the same",
    ),
    ("text-generation-gpt2", {FORMAT: "chatCompletions", **CHAT}, "messages: the model has no chat template"),
    ("sentence-embeddings", {FORMAT: "embeddings", "input": [[1, 2]]}, "input[0] must be a string, got list"),
    (
        "text-generation",
        {FORMAT: "completions", "prompt": "a", "suffix": "b"},
        "suffix must be null, got str",
    ),
)


@pytest.mark.parametrize(("name", "instance", "told"), REFUSED)
def test_what_is_no_such_request_is_a_400_that_names_the_field(name: str, instance: Any, told: str) -> None:
    status, content = served(name).answer({"instances": [instance]})
    assert status == 400
    assert content["error"].startswith(f"instance 0: {told}"), content
    without = {key: value for key, value in instance.items() if key != FORMAT}
    if len(without) < len(instance) and instance[FORMAT] == "chatCompletions" and "messages" in without:
        assert served(name).answer(without)[0] == 400


def test_a_bad_chat_fails_alone(tmp_path: Path) -> None:
    register_envelope()
    send = load(make("text-generation", tmp_path), envelope="instances")
    bad = (
        {**CHAT, "prompt": "a"},
        {**CHAT, "messages": [{"role": "tool", "content": "a"}]},
        {"instances": [{FORMAT: "responses", **CHAT}]},
        {"instances": [{FORMAT: "chatCompletions", **CHAT, "stream": True}] * 2},
    )
    bodies = [json.dumps(one).encode() for one in (CHAT, *bad, {"instances": ["a"]})]
    sent = send(*bodies, content_type="application/json")
    assert sent.statuses == [200, 400, 400, 400, 400, 200]
    told = sent.answers[1]["error"]
    assert told.pop("message").startswith("instance 0: chatCompletions takes no prompt; accepted: messages")
    assert told == {"type": "invalid_request_error", "param": None, "code": 400}
    assert sent.answers[0]["object"] == "chat.completion"
    assert "messages[0].role is out of order" in sent.answers[2]["error"]["message"]
    assert sent.answers[3]["error"].startswith("instance 0: @requestFormat 'responses' is unknown")
    assert sent.answers[4]["error"].startswith("instance 0: stream")
    assert list(sent.answers[5]) == ["predictions"]


def test_a_template_judges_the_order_of_roles_and_is_told_of_tools(tmp_path: Path) -> None:
    folder = make("text-generation", tmp_path)
    (folder / "chat_template.jinja").write_text(TOOLS_TEMPLATE)
    register_envelope()
    send = load(folder, envelope="instances")
    twice = {**CHAT, "messages": MESSAGES * 2}
    with_tools = {**CHAT, "tools": [TOOL], "tool_choice": "auto"}
    called = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    answered = [*MESSAGES, {"role": "assistant", "tool_calls": [called]}, {"role": "tool", "content": "sun"}]
    bodies = [
        json.dumps(one).encode() for one in (CHAT, twice, with_tools, {**with_tools, "messages": answered})
    ]
    sent = send(*bodies, content_type="application/json")
    assert sent.statuses == [200, 400, 200, 200]
    told = sent.answers[1]["error"]["message"]
    assert told == "instance 0: messages: the chat template refuses them: roles must alternate"
    plain, with_tool = (sent.answers[index]["usage"]["prompt_tokens"] for index in (0, 2))
    assert with_tool > plain + 10


CALL = {"type": "function", "function": {"name": "weather"}}


def test_a_model_that_must_call_a_tool_writes_the_arguments_of_its_call(tmp_path: Path) -> None:
    folder = make("text-generation", tmp_path)
    (folder / "chat_template.jinja").write_text(TOOLS_TEMPLATE)
    register_envelope()
    send = load(folder, envelope="instances")
    other = {"type": "function", "function": {"name": "news"}}
    asked: list[dict[str, Any]] = [
        {"tools": [TOOL]},
        {"tools": [TOOL, other], "tool_choice": CALL},
        {"tools": [TOOL], "tool_choice": "required"},
        {"tools": [TOOL, other], "tool_choice": "required"},
        {"tools": [other], "tool_choice": CALL},
        {"tool_choice": CALL},
        {"tools": [TOOL], "tool_choice": CALL, "continue_final_message": True},
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {}}},
    ]
    bodies = [json.dumps({**CHAT, **more}).encode() for more in asked]
    sent = send(*bodies, content_type="application/json")
    assert sent.statuses == [200, 200, 200, 400, 400, 400, 400, 400]
    free, forced, required = (answer["choices"][0] for answer in sent.answers[:3])
    assert free["message"]["content"]
    for choice in (forced, required):
        (call,) = choice["message"]["tool_calls"]
        assert call["function"]["name"] == "weather"
        # The tiny model writes anything but JSON, as far as it may.
        assert call["function"]["arguments"]
        assert choice["message"]["content"] is None
        assert choice["finish_reason"] == "length"
    tokens = [answer["usage"]["prompt_tokens"] for answer in sent.answers[:3]]
    assert tokens[2] > tokens[0] + 10  # the message has begun
    told = [answer["error"]["message"].removeprefix("instance 0: ") for answer in sent.answers[3:]]
    assert told[0] == "tool_choice 'required' takes one tool, got 2: name the one to call"
    assert told[1] == "tool_choice.function.name must be one of tools, news; got 'weather'"
    assert told[2] == "tool_choice.function.name must be one of tools, none; got 'weather'"
    assert told[3].startswith("tool_choice of one tool begins a message")
    assert told[4].startswith("tool_choice")


def test_the_arguments_of_a_call_that_had_to_be_made() -> None:
    from hf_handler.request_forms.chat_reply import ChatReply
    from hf_handler.request_forms.tool_choice import forced_tool

    forced = forced_tool(CALL, [TOOL])
    assert forced is not None
    assert forced.opening == '<tool_call>\n{"name": "weather", "arguments":'
    text = ' {"city": "Bonn"}}\n'
    call, complete = forced.call(text)
    assert complete
    assert call["function"] == {"name": "weather", "arguments": '{"city": "Bonn"}'}
    assert forced.call(' {"city": "Bo')[1] is False

    details = {"finish_reason": "stop_sequence", "generated_tokens": 9}
    reply = ChatReply({}, calls_tools=True, forced=forced)
    assert [reply.part(text[begin : begin + 5], {}, 0) for begin in range(0, len(text), 5)] == [""] * 4
    events = reply.last([{"generated_text": text, "details": details}], 3)
    assert '"arguments": "{\\"city\\": \\"Bonn\\"}"' in events
    assert '"finish_reason": "tool_calls"' in events
    assert '"content"' not in events


def test_calls_of_tools_are_found_in_what_is_written() -> None:
    from hf_handler.request_forms.chat_reply import ChatReply
    from hf_handler.request_forms.tool_calls import without_calls

    text = 'Let me see. <tool_call>\n{"name": "weather", "arguments": {"city": "Bonn"}}\n</tool_call>'
    rest, (call,) = without_calls(text)
    assert rest == "Let me see."
    assert call["function"] == {"name": "weather", "arguments": '{"city": "Bonn"}'}
    assert without_calls("<tool_call>{no}</tool_call>") == ("<tool_call>{no}</tool_call>", [])

    details = {"finish_reason": "eos_token", "generated_tokens": 9}
    prediction = [{"generated_text": text, "details": details}]
    whole = ChatReply({}, calls_tools=True).whole(prediction, 3)
    assert whole["choices"][0]["finish_reason"] == "tool_calls"
    assert whole["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "weather"

    reply = ChatReply({}, calls_tools=True)
    sent = [reply.part(text[begin : begin + 5], {}, 0) for begin in range(0, len(text), 5)]
    assert "".join(_contents("".join(sent))) == "Let me see. "
    events = reply.last(prediction, 3)
    assert '"tool_calls"' in events
    assert '"finish_reason": "tool_calls"' in events
    assert events.endswith("data: [DONE]\n\n")


def _contents(events: str) -> list[str]:
    chunks = [json.loads(line.removeprefix("data: ")) for line in events.split("\n\n") if line]
    return [chunk["choices"][0]["delta"]["content"] for chunk in chunks]


@pytest.mark.parametrize(
    "name", ["chat_completions:ChatCompletions", "completions:Completions", "embeddings:Embeddings"]
)
def test_the_reader_of_a_form_and_its_schema_agree(name: str) -> None:
    from importlib import import_module

    from hf_handler.schema import Refused

    module, _, kind = name.partition(":")
    form = getattr(import_module(f"hf_handler.request_forms.{module}"), kind)()
    validator = Draft202012Validator(form.schema())
    bodies = st.fixed_dictionaries(
        {FORMAT: st.just(form.name), form.mark: near(form.fields[form.mark])},
        optional={key: near(schema) for key, schema in form.fields.items() if key != form.mark},
    )

    @settings(max_examples=100, deadline=None, database=None, derandomize=True)
    @given(bodies)
    def agree(sent: dict[str, Any]) -> None:
        try:
            form.read(sent)
        except Refused:
            return  # some refusals no schema tells: roles out of order, two fields that say the same
        assert validator.is_valid(sent)

    agree()
