"""Requests in the shapes that clients of other servers send, each to a tiny model of the catalogue.

Sources: `toolkit` is huggingface-inference-toolkit on Vertex AI (the tasks of its README and tests), `google`
Google's notebooks for its Hugging Face and vLLM images, `hf-serve` the server in Hugging Face's newer images
for Google, `torchserve` TorchServe's own envelope, `tgi` and `tei` the documents of text-generation-inference
and text-embeddings-inference, `openai` OpenAI's API reference. The texts are this project's own.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from testbed.tiny_models import samples

TEXT = "The movie was good and the music was great!"
OTHER = "The train arrives at nine."
DIFFERS = {
    "text-classification": "an object; `handler.response: huggingface` gives a list of it",
    "sentence-embeddings": "the vector; `handler.response: huggingface` gives an object with `embeddings`",
}
JOINED = "a list for each text; `handler.response: huggingface` joins them"
CHANGES_THE_TEXT = "it would change the text, and can't be had"
NO_GRAMMAR = (
    "transformers has nothing that holds a text to JSON; what isn't held is right most of the time only"
)
NO_TOOLS = "this model's chat template takes no tools; one that does is answered"
RAW = "a record, without the headings `Prompt:` and `Output:`"
BRIEF = {"max_new_tokens": 4, "do_sample": False}
MESSAGES = [{"role": "user", "content": "Tell me a story about a dragon."}]


class Payload(NamedTuple):
    """One request.

    Attributes:
        source: Whose client sends it.
        model: Of the catalogue.
        body: The request.
        why: Why it is refused, or answered in another form; empty where there is nothing to say.
    """

    source: str
    model: str
    body: dict[str, Any]
    why: str = ""


def _vertex(*instances: Any, **parameters: Any) -> dict[str, Any]:
    return {"instances": list(instances), **({"parameters": parameters} if parameters else {})}


def _about_text() -> Iterator[Payload]:
    read: list[dict[str, Any]] = [
        {},
        {"truncation": True},
        {"truncation": True, "max_length": 16},
        {"padding": True, "batch_size": 4},
        {"tokenizer_kwargs": {"truncation": True}},
    ]
    needs = {"zero-shot-classification": {"candidate_labels": ["music", "sports"]}}
    tasks: dict[str, list[dict[str, Any]]] = {
        "text-classification": [{"top_k": 2}, {"top_k": None}, {"return_all_scores": True},
                                {"function_to_apply": "sigmoid"}],
        "token-classification": [{"aggregation_strategy": "simple"}, {"grouped_entities": True},
                                 {"ignore_labels": []}],
        "zero-shot-classification": [{"multi_label": True}, {"hypothesis_template": "About {}."}],
        "feature-extraction": [{"tokenize_kwargs": {"max_length": 16}}],
        "sentence-embeddings": [{"normalize_embeddings": True}],
    }  # fmt: skip
    for model, own in tasks.items():
        always, why = needs.get(model, {}), DIFFERS.get(model, "")
        for parameters in read:
            yield Payload("toolkit", model, _vertex(TEXT, **always, **parameters), why)
        for parameters in own:
            yield Payload("toolkit", model, _vertex(TEXT, **always, **parameters))
        yield Payload("toolkit", model, _vertex([TEXT, OTHER], **always))
        yield Payload("toolkit", model, _vertex({"inputs": TEXT}, **always), why)
        yield Payload("google", model, _vertex({"inputs": TEXT, "parameters": always}))
        yield Payload("google", model, _vertex(TEXT, OTHER, **always))
    for mask in ({}, {"top_k": 2}, {"targets": ["town"]}, {"tokenizer_kwargs": {"truncation": True}}):
        yield Payload("toolkit", "fill-mask", _vertex("Paris is the [MASK] of France.", **mask))
    yield Payload("toolkit", "sentence-embeddings", _vertex({"sentences": [TEXT, OTHER]}))
    yield Payload("toolkit", "zero-shot-classification", _vertex(TEXT, candidateLabels=["music", "sports"]))
    yield Payload(
        "toolkit", "zero-shot-classification", _vertex({"sequences": [TEXT, OTHER]}, candidate_labels="a,b")
    )
    question = {"question": "Who is here?", "context": "Anna is here, and Paul is there."}
    for asked in ({}, {"top_k": 2}, {"max_answer_len": 4}, {"max_answer_length": 4}, {"doc_stride": 8},
                  {"handle_impossible_answer": True}, {"padding": True}):  # fmt: skip
        yield Payload("toolkit", "question-answering", _vertex(question, **asked))
    lists = {"question": [question["question"]] * 2, "context": [question["context"]] * 2}
    yield Payload("toolkit", "question-answering", _vertex(lists))
    table = samples("table-question-answering")[0]
    yield Payload("toolkit", "table-question-answering", _vertex(table))
    yield Payload("toolkit", "table-question-answering", _vertex({**table, "query": [table["query"]] * 2}))
    yield Payload(
        "toolkit", "table-question-answering", _vertex(table, sequential=False, padding=True, truncation=True)
    )
    similar = {"source_sentence": TEXT, "sentences": [OTHER, TEXT]}
    yield Payload("toolkit", "sentence-similarity", _vertex(similar))
    yield Payload("toolkit", "sentence-similarity", _vertex({"inputs": similar}))
    ranked = {"query": TEXT, "texts": [OTHER, TEXT]}
    yield Payload(
        "toolkit",
        "text-ranking",
        _vertex([TEXT, OTHER]),
        "a list of one score; `handler.response: huggingface` gives the number",
    )
    yield Payload("toolkit", "text-ranking", _vertex([[TEXT, OTHER], [TEXT, TEXT]]))
    yield Payload("toolkit", "text-ranking", _vertex(ranked))
    yield Payload("toolkit", "text-ranking", _vertex({**ranked, "return_documents": True}))
    yield Payload(
        "tei", "text-ranking", _vertex({**ranked, "raw_scores": False, "return_text": True, "truncate": True})
    )
    yield Payload("tei", "sentence-embeddings", _vertex({"inputs": TEXT}))
    yield Payload("tei", "sentence-embeddings", _vertex({"inputs": [TEXT, OTHER], "truncate": True}))
    yield Payload("tei", "sentence-embeddings", _vertex({"inputs": TEXT, "normalize": True}))
    yield Payload(
        "tei",
        "sentence-embeddings",
        _vertex({"inputs": TEXT, "truncation_direction": "Right"}),
        "texts are cut at their end only; it would change the answer of others",
    )
    yield Payload("google", "sentence-embeddings", _vertex({"content": TEXT}))
    yield Payload(
        "google",
        "sentence-embeddings",
        _vertex({"content": TEXT, "task_type": "RETRIEVAL_QUERY"}),
        "a prompt is chosen by its name, `prompt_name`",
    )


def _written() -> Iterator[Payload]:
    parameters: dict[str, Any]
    told: dict[str, Any]
    for model in ("summarization", "translation", "text2text-generation"):
        for parameters in (
            BRIEF, {**BRIEF, "num_beams": 2}, {"max_length": 8, "min_length": 2}, {"generate_kwargs": BRIEF},
            {**BRIEF, "truncation": True}, {**BRIEF, "clean_up_tokenization_spaces": True, "stream": False},
            {"max_new_tokens": 4, "do_sample": True, "temperature": 0.7, "top_k": 5, "top_p": 0.9},
        ):  # fmt: skip
            yield Payload("toolkit", model, _vertex(TEXT, **parameters))
        yield Payload(
            "toolkit",
            model,
            _vertex([TEXT, OTHER], **BRIEF),
            JOINED,
        )
    yield Payload(
        "toolkit",
        "translation-nllb",
        _vertex(TEXT, src_lang="eng_Latn", tgt_lang="fra_Latn", max_new_tokens=4),
    )
    for parameters in (
        BRIEF, {**BRIEF, "return_full_text": False}, {"max_new_tokens": 4, "do_sample": True, "seed": 1},
        {**BRIEF, "repetition_penalty": 1.03}, {**BRIEF, "num_return_sequences": 1},
        {"generation_parameters": BRIEF},
        {**BRIEF, "stop_sequence": "a", "handle_long_generation": None}, {**BRIEF, "prefix": "Once "},
        {**BRIEF, "handle_long_generation": "hole"},
    ):  # fmt: skip
        yield Payload("toolkit", "text-generation", _vertex(OTHER, **parameters))
    yield Payload("toolkit", "text-generation", _vertex({"text_inputs": OTHER}, **BRIEF))
    yield Payload("toolkit", "text-generation", _vertex(MESSAGES, **BRIEF))
    yield Payload("toolkit", "text-generation", _vertex([OTHER, TEXT], **BRIEF))
    yield Payload("google", "text-generation", _vertex({"messages": MESSAGES, "max_tokens": 4}))
    yield Payload(
        "google",
        "text-generation",
        _vertex({"prompt": OTHER, "max_tokens": 4, "temperature": 1.0, "top_p": 1.0, "top_k": 10}),
    )
    for told in (
        {"best_of": 1, "max_new_tokens": 4}, {"details": True},
        {"decoder_input_details": False, "details": True},
        {"frequency_penalty": 0.1}, {"seed": None, "stop": ["photographer"]},
        {"top_n_tokens": 5, "details": True},
        {"truncate": None, "watermark": False}, {"truncate": 8}, {"typical_p": 0.95, "do_sample": True},
        {"adapter_id": None, "grammar": None}, {"return_full_text": None},
    ):  # fmt: skip
        yield Payload(
            "tgi",
            "text-generation",
            _vertex({"inputs": OTHER, "parameters": {"max_new_tokens": 4, **told}}),
            "a list of records, not a text",
        )
    yield Payload(
        "tgi",
        "text-generation",
        _vertex({"inputs": OTHER, "parameters": {"watermark": True}}),
        CHANGES_THE_TEXT,
    )
    yield Payload(
        "tgi",
        "text-generation",
        _vertex({"inputs": OTHER, "parameters": {"grammar": {"type": "json", "value": {}}}}),
        CHANGES_THE_TEXT,
    )


def _about_files() -> Iterator[Payload]:
    parameters: dict[str, Any]
    heard: dict[str, Any]
    picture = samples("image-classification")[0]
    tasks: dict[str, list[dict[str, Any]]] = {
        "image-classification": [{}, {"top_k": 2}, {"function_to_apply": "softmax"}],
        "object-detection": [{}, {"threshold": 0.2}],
        "image-segmentation": [{}, {"threshold": 0.5, "mask_threshold": 0.4}],
        "image-to-text": [{"max_new_tokens": 4}, {"generate_kwargs": {"max_new_tokens": 4}}],
        "zero-shot-image-classification": [
            {"candidate_labels": ["film", "food"]},
            {"candidateLabels": ["a", "b"]},
        ],
    }
    for model, own in tasks.items():
        for parameters in own:
            yield Payload("toolkit", model, _vertex(picture, **parameters))
        yield Payload("toolkit", model, _vertex([picture, picture], **own[0]))
        yield Payload("google", model, _vertex({"images": picture}, **own[0], timeout=10))
    for parameters in ({}, {"top_k": 1}):
        yield Payload(
            "toolkit", "audio-classification", _vertex(samples("audio-classification")[0], **parameters)
        )
    sound = samples("automatic-speech-recognition")[0]
    for heard in (
        {},
        {"return_timestamps": True},
        {"chunk_length_s": 4},
        {"generate_kwargs": {"max_new_tokens": 4}},
    ):
        yield Payload("toolkit", "automatic-speech-recognition", _vertex(sound, **heard))
    about = next(sample for sample in samples("image-text-to-text") if "messages" not in sample)
    yield Payload("toolkit", "image-text-to-text", _vertex(about, **BRIEF))
    yield Payload(
        "toolkit", "visual-question-answering", _vertex(samples("visual-question-answering")[0], top_k=2)
    )
    yield Payload(
        "toolkit", "document-question-answering", _vertex(samples("document-question-answering")[0])
    )


def _openai() -> Iterator[Payload]:
    more: dict[str, Any]
    for more in (
        {}, {"temperature": 0, "max_tokens": 4}, {"n": 2, "temperature": 1}, {"stop": ["a"]},
        {"seed": 7, "top_p": 0.9},
        {"logprobs": True, "top_logprobs": 2}, {"presence_penalty": 0.5, "frequency_penalty": 0.5},
        {"max_tokens": None, "max_completion_tokens": 4, "user": "u", "metadata": {}},
        {"response_format": {"type": "text"}},
    ):  # fmt: skip
        chat = {
            "model": "m",
            "messages": MESSAGES,
            **({} if "max_completion_tokens" in more else {"max_tokens": 4}),
            **more,
        }
        yield Payload("openai", "text-generation", chat)
        yield Payload("google", "text-generation", _vertex({"@requestFormat": "chatCompletions", **chat}))
    schema = {"name": "story", "schema": {"type": "object"}}
    for held in ({"type": "json_object"}, {"type": "json_schema", "json_schema": schema}):
        asked = {"messages": MESSAGES, "response_format": held}
        yield Payload("openai", "text-generation", asked, NO_GRAMMAR)
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    named = {"type": "function", "function": {"name": "weather"}}
    for more in ({"tools": [tool]}, {"tools": [tool], "tool_choice": named}):
        yield Payload("openai", "text-generation", {"messages": MESSAGES, **more}, NO_TOOLS)
    yield Payload("openai", "text-generation", {"messages": MESSAGES, "max_tokens": 4, "tool_choice": "none"})
    for more in ({}, {"echo": True}, {"logprobs": 2}, {"best_of": 2, "temperature": 1}, {"suffix": None}):
        yield Payload(
            "openai", "text-generation", {"prompt": OTHER, "max_tokens": 4, "temperature": 0, **more}
        )
    yield Payload("openai", "text-generation", {"prompt": [OTHER, TEXT], "max_tokens": 4})
    for more in ({}, {"encoding_format": "base64"}, {"dimensions": 8, "user": "u"}):
        yield Payload("openai", "sentence-embeddings", {"model": "m", "input": TEXT, **more})
    yield Payload("openai", "sentence-embeddings", {"model": "m", "input": [TEXT, OTHER]})
    yield Payload(
        "openai",
        "sentence-embeddings",
        {"model": "m", "input": [[1, 2, 3]]},
        "tokens of another model's tokenizer mean nothing here",
    )


def _other_servers() -> Iterator[Payload]:
    """Shapes of hf-serve, of TorchServe's envelope, and of Google's notebooks for vLLM."""
    pair = {"text": TEXT, "text_pair": OTHER}
    yield Payload("toolkit", "text-classification", _vertex(pair))
    yield Payload("toolkit", "text-classification", _vertex({"inputs": pair}))
    yield Payload("hf-serve", "zero-shot-classification", _vertex(TEXT, labels=["music", "sports"]))
    for vector in ({"normalize": True}, {"dimensions": 8}, {"prompt_name": None}):
        yield Payload("hf-serve", "sentence-embeddings", _vertex(TEXT, **vector))
    ranked = {"query": TEXT, "documents": [OTHER, TEXT]}
    yield Payload("hf-serve", "text-ranking", _vertex(ranked))
    similar = {"source_sentence": TEXT, "sentences": [OTHER]}
    yield Payload("hf-serve", "sentence-similarity", _vertex(similar))
    brief: dict[str, Any] = {"max_new_tokens": 4}
    yield Payload("hf-serve", "summarization", _vertex(TEXT, generate_parameters=brief))
    yield Payload("hf-serve", "text-generation", _vertex({"messages": MESSAGES}, **brief, temperature=0.7))
    picture, sound = samples("image-classification")[0], samples("automatic-speech-recognition")[0]
    about = next(sample for sample in samples("image-text-to-text") if "messages" not in sample)
    yield Payload("hf-serve", "image-classification", _vertex({"image": picture}))
    yield Payload("hf-serve", "image-classification", _vertex({"inputs": picture["b64"]}))
    one = {"image": about["images"], "text": about["text"]}
    yield Payload("hf-serve", "image-text-to-text", _vertex(one, **brief))
    yield Payload("toolkit", "automatic-speech-recognition", _vertex({"inputs": sound, "parameters": {}}))
    yield Payload("toolkit", "automatic-speech-recognition", _vertex(sound["b64"]))
    yield Payload("toolkit", "table-question-answering", _vertex(_asked_by("question"), sequential=True))
    question = {"question": "Who is here?", "context": "Anna is here, and Paul is there."}
    for asked in ({"max_seq_len": 64}, {"max_question_len": 16}, {"align_to_words": False}):
        yield Payload("toolkit", "question-answering", _vertex(question, **asked))
    yield Payload("toolkit", "token-classification", _vertex(TEXT, stride=4, aggregation_strategy="simple"))
    yield Payload("toolkit", "image-segmentation", _vertex(picture, subtask="semantic"))
    yield Payload("torchserve", "image-classification", _vertex({"data": picture}))
    drawn: dict[str, Any] = {"max_tokens": 4, "temperature": 1.0, "top_p": 1.0, "top_k": 1}
    yield Payload(
        "google", "text-generation", _vertex({"prompt": OTHER, **drawn, "raw_response": False}), RAW
    )
    parts = [{"role": "user", "content": [{"type": "text", "text": OTHER}]}]
    chat = {"@requestFormat": "chatCompletions", "messages": parts, "max_tokens": 4}
    yield Payload("google", "text-generation", _vertex(chat))


def _asked_by(name: str) -> dict[str, Any]:
    """A question about a table, by another name of the field."""
    table = samples("table-question-answering")[0]
    return {name: table["query"], "table": table["table"]}


PAYLOADS: list[Payload] = [
    *_about_text(), *_written(), *_about_files(), *_openai(), *_other_servers(),
]  # fmt: skip
