"""image-text-to-text: what a model writes to a text about pictures."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import transformers

from hf_handler.allowance import Allowance
from hf_handler.failures import each
from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.kinds.picture_prompts import PictureWriter
from hf_handler.kinds.streaming import StreamingTask
from hf_handler.media.files import FILES
from hf_handler.media.pictures import GREY, PICTURE_ALIASES, Pictures
from hf_handler.request_forms.chat_completions import ChatCompletions
from hf_handler.schema import FLAG, INPUT_TEXT, Fields, Refused, check, list_of, record
from hf_handler.text.admission import count_texts
from hf_handler.text.conversation import (
    ANSWERED,
    CONVERSATION_ALIASES,
    CONVERSATION_PARAMETERS,
    TEXT_OR_CONVERSATION,
    Conversation,
    is_conversation,
)
from hf_handler.text.details import DETAILS
from hf_handler.text.generation_parameters import GENERATION, GENERATION_ALIASES, TOLD
from hf_handler.text.stop_strings import stop_strings, without_stop
from hf_handler.text.writer import BUDGET, parameters_to_choose
from hf_handler.without_effect import FETCHED


class ImageTextToText(StreamingTask):
    """What a model writes to a text about pictures, or the next message of a conversation with pictures."""

    name = "image-text-to-text"
    interface = Interface(
        fields={
            "text": TEXT_OR_CONVERSATION,
            "image": FILES,
        },
        media=("image",),
        aliases={**GENERATION_ALIASES, **PICTURE_ALIASES, **CONVERSATION_ALIASES},
        parameters={
            **GENERATION,
            **FETCHED,
            **TOLD,
            **CONVERSATION_PARAMETERS,
            "stream": {**FLAG, "default": False},
        },
        prediction=list_of(
            record({"input_text": ANSWERED, "generated_text": ANSWERED}, {"details": DETAILS})
        ),
        example={"text": "warm up", "parameters": {"max_new_tokens": 2}},
        request_forms=(ChatCompletions(takes_pictures=True),),
    )
    budget = BUDGET

    def load(self) -> None:
        """Set `model`, and what opens pictures, prepares them with the text, and writes about them."""
        self.pictures = Pictures(self.archive)
        self.model = self.archive.model(transformers.AutoModelForImageTextToText)
        self.processor = self.archive.processor(transformers.AutoProcessor)
        self.tokenizer = self.processor.tokenizer
        self.about = PictureWriter(self.archive, self.model, self.tokenizer, goes_on=True)

    def is_one(self, inputs: list[Any]) -> bool:
        """A list of messages is one conversation."""
        return is_conversation(inputs)

    def warm_up(self) -> None:
        """Answer a text with a picture where the model marks its place, else one without."""
        mark = getattr(self.processor, "image_token", None)
        if isinstance(mark, str):
            self.example = {**self.example, "text": f"{mark} warm up", "image": GREY}
        super().warm_up()

    def fit_to_model(self, query: Query) -> None:
        """Measure the pictures, those in messages too."""
        self.pictures.read(query)
        if not isinstance(query.fields["text"], str):
            query.fields["text"] = [
                {**message, "content": self._with_pictures(message["content"], query.allowance)}
                for message in query.fields["text"]
            ]

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a query."""
        return each(queries, self.items)

    def items(self, query: Query) -> list[Item]:
        """Return a text and its pictures, or a conversation, as what is written to.

        Raises:
            Refused: They can't be used, or the parameters don't go together.
        """
        count_texts(query, [(query.fields["text"], query.parameters.get("tools"))])
        conversation = Conversation.of(query)
        if isinstance(conversation.given, str):
            inputs = self._of_text(conversation.given, query)
        else:
            inputs = self._of_messages(conversation, conversation.given, query)
            shown = [
                {**message, "content": without_files(message["content"])} for message in conversation.given
            ]
            conversation = dataclasses.replace(conversation, given=shown)
        query.tokens = inputs["input_ids"].shape[-1]
        item = self.about.item(inputs, parameters_to_choose(query.parameters), query.allowance)
        item.source = conversation
        return [item]

    def _of_text(self, text: str, query: Query) -> Any:
        files = query.fields.get("image")
        several = files if isinstance(files, list) else [files] if files else []
        pictures = [self.pictures.decoded(one) for one in several] or None
        return self._processed(lambda: self.processor(images=pictures, text=text, return_tensors="pt"))

    def _of_messages(self, conversation: Conversation, messages: list[Fields], query: Query) -> Any:
        """Prepare a conversation by the model's chat template."""
        if query.fields.get("image"):
            raise Refused("in a conversation images are parts of a message's content, not a field beside it")
        conversation.require(getattr(self.processor, "chat_template", None))
        opened = [{**message, "content": self._decoded(message["content"])} for message in messages]
        return self._processed(
            lambda: conversation.templated(self.processor, opened, tokenize=True, return_tensors="pt")
        )

    def _processed(self, process: Callable[[], Any]) -> Any:
        """Return what the processor makes of text and pictures.

        Raises:
            Refused: It can't match them, or there is nothing in them to begin with.
        """
        try:
            inputs = process()
        except Exception as error:
            # Its words quote counts and its own marks, and templates say what they want of a conversation.
            raise Refused(f"text and images don't fit the model: {str(error)[:200]}", 422) from None
        if inputs["input_ids"].shape[-1] == 0:
            raise Refused("the text is empty", 422)
        return inputs

    def _with_pictures(self, content: Any, allowance: Allowance) -> Any:
        """Return a message's content with pictures, not decoded, in place of files.

        It is made anew of what is known: transformers would open any path or URL it finds in a part.
        """
        if isinstance(content, str):
            return content
        parts: list[Fields] = []
        for part in check(content, {"type": "array", "items": {"type": "object"}}, "content"):
            if part.get("type") == "text":
                parts.append({**part, "text": check(part.get("text"), INPUT_TEXT, "text")})
            elif part.get("type") in {"image", "image_url"}:
                file = next(
                    (part[key] for key in ("image", "url", "image_url", "base64") if key in part), None
                )
                if isinstance(file, dict) and "url" in file:  # as OpenAI writes it
                    file = file["url"]
                picture = self.pictures.opened(self.open_file(file), allowance)
                parts.append({"type": "image", "image": picture})
            else:
                raise Refused("a part of a message's content must have the type text or image")
        return parts

    def _decoded(self, content: Any) -> list[Fields]:
        """Return the parts of a message's content, with its pictures decoded."""
        if isinstance(content, str):
            return [{"type": "text", "text": content}]
        return [
            {"type": "text", "text": part["text"]}
            if part["type"] == "text"
            else {"type": "image", "image": self.pictures.decoded(part["image"])}
            for part in content
        ]

    def run(self, pack: list[Item], streamer: Any = None) -> Sequence[Any]:
        """The tokens of each item's sequences, behind its prompt."""
        return self.about.write(pack, self.device, streamer)

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """One record a sequence: the text or the conversation, with what was written."""
        conversation: Conversation = items[0].source
        stop, skip = stop_strings(query.parameters), query.parameters["skip_special_tokens"]
        decode = self.processor.post_process_image_text_to_text
        read = items[0].inputs["input_ids"].tolist()
        (prompt,) = decode(read, skip_special_tokens=skip)
        texts = decode(rows[0], skip_special_tokens=skip)
        written = [row[len(read[0]) :] if row[: len(read[0])] == read[0] else row for row in rows[0]]
        query.written = self.about.writer.count(written, query.parameters)
        records = []
        for index, told in self.about.writer.answered(items[0], written, query):
            text = texts[index]
            start = text.find(prompt)
            new = without_stop(text[start + len(prompt) :] if 0 <= start <= 2 else text, stop)
            whole = conversation.with_answer(new) if query.parameters["return_full_text"] else new
            records.append({"input_text": conversation.given, "generated_text": whole, **told})
        return records


def without_files(content: Any) -> Any:
    """Return a message's content as it is answered: an image's place, not the image."""
    if isinstance(content, str):
        return content
    return [part if part["type"] == "text" else {"type": "image"} for part in content]
