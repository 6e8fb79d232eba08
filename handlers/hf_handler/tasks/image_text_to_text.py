"""image-text-to-text: what a model writes to a text about pictures."""

from collections.abc import Callable
from typing import Any

import transformers

from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.kinds.generation import GENERATION, GENERATION_ALIASES
from hf_handler.kinds.picture_to_text import PictureToText
from hf_handler.media.files import FILE
from hf_handler.media.pictures import GREY, PICTURE_ALIASES
from hf_handler.plans import stop_strings
from hf_handler.schema import TEXT, Fields, Refused, check, list_of, record
from hf_handler.tasks.text_generation import TextGeneration
from hf_handler.text.conversation import (
    CONVERSATION_ALIASES,
    CONVERSATION_PARAMETERS,
    TEXT_OR_CONVERSATION,
    is_conversation,
)
from hf_handler.text.streaming import without_stop


class ImageTextToText(PictureToText):
    """What a model writes to a text about pictures, or the next message of a conversation with pictures."""

    name = "image-text-to-text"
    auto_class = "AutoModelForImageTextToText"
    interface = Interface(
        fields={
            "text": TEXT_OR_CONVERSATION,
            "image": {"anyOf": [FILE, {**list_of(FILE), "minItems": 1}]},
        },
        media=("image",),
        aliases={**GENERATION_ALIASES, **PICTURE_ALIASES, **CONVERSATION_ALIASES},
        parameters={**GENERATION, **CONVERSATION_PARAMETERS},
        prediction=list_of(
            record({"input_text": TEXT_OR_CONVERSATION, "generated_text": TEXT_OR_CONVERSATION})
        ),
        example={"text": "warm up", "parameters": {"max_new_tokens": 2}},
    )
    in_new_tokens = TextGeneration.in_new_tokens
    continues = staticmethod(TextGeneration.continues)

    def load_processor(self) -> None:
        """One processor for both."""
        self.processor = self.archive.processor(transformers.AutoProcessor)
        self.tokenizer = self.processor.tokenizer

    def is_one(self, inputs: list[Any]) -> bool:
        """A list of messages is one conversation."""
        return is_conversation(inputs)

    def open_media(self, value: Any) -> Any:
        """Return the bytes of a file, or of several."""
        if isinstance(value, list) and value:
            return [super(ImageTextToText, self).open_media(one) for one in value]
        return super().open_media(value)

    def warm_up(self) -> None:
        """Answer a text with a picture where the model marks its place, else one without."""
        mark = getattr(self.processor, "image_token", None)
        if isinstance(mark, str):
            self.example = {**self.example, "text": f"{mark} warm up", "image": GREY}
        super().warm_up()

    def prompt(self, query: Query) -> list[Item]:
        """Prepare a text and its pictures, or a conversation by the model's chat template."""
        text, files = query.fields["text"], query.fields.get("image")
        if isinstance(text, str):
            several = files if isinstance(files, list) else [files] if files else []
            pictures = [self.pictures.open(one) for one in several] or None
            inputs = self._processed(lambda: self.processor(images=pictures, text=text, return_tensors="pt"))
            return [self.prepared(inputs)]
        if files:
            raise Refused("in a conversation images are parts of a message's content, not a field beside it")
        if getattr(self.processor, "chat_template", None) is None:
            raise Refused("the model has no chat template, so it takes text and images, not messages", 422)
        continued = self.continues(query)
        opened = [{"role": message["role"], "content": self._opened(message["content"])} for message in text]
        inputs = self._processed(
            lambda: self.processor.apply_chat_template(
                opened,
                add_generation_prompt=not continued,
                continue_final_message=continued,
                tokenize=True,
                return_dict=True,
                return_tensors="pt",
            )
        )
        query.fields["text"] = [
            {"role": message["role"], "content": without_files(message["content"])} for message in text
        ]
        return [self.prepared(inputs)]

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

    def _opened(self, content: Any) -> Any:
        """Return a message's content with pictures in place of files.

        It is made anew of what is known: transformers would open any path or URL it finds in a part.
        """
        if isinstance(content, str):
            return [{"type": "text", "text": content}]
        parts: list[Fields] = []
        for part in check(content, {"type": "array", "items": {"type": "object"}}, "content"):
            if part.get("type") == "text":
                parts.append({"type": "text", "text": check(part.get("text"), TEXT, "text")})
            elif part.get("type") in {"image", "image_url"}:
                file = next(
                    (part[key] for key in ("image", "url", "image_url", "base64") if key in part), None
                )
                if isinstance(file, dict) and "url" in file:  # as OpenAI writes it
                    file = file["url"]
                picture = self.pictures.open(super().open_media(file))
                parts.append({"type": "image", "image": picture})
            else:
                raise Refused("a part of a message's content must have the type text or image")
        return parts

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """One record a sequence: the text or the conversation, with what was written."""
        given, stop = query.fields["text"], stop_strings(query.parameters)
        skip = query.parameters["skip_special_tokens"]
        decode = self.processor.post_process_image_text_to_text
        (prompt,) = decode([items[0].inputs["input_ids"]], skip_special_tokens=skip)
        records = []
        for text in decode(rows[0], skip_special_tokens=skip):
            start = text.find(prompt)
            new = text[start + len(prompt) :] if 0 <= start <= 2 else text
            new = without_stop(new, stop)
            records.append({"input_text": given, "generated_text": self._whole(query, new)})
        return records

    def _whole(self, query: Query, new: str) -> Any:
        given = query.fields["text"]
        if not query.parameters["return_full_text"]:
            return new
        if isinstance(given, str):
            return given + new
        if not self.continues(query):
            return [*given, {"role": "assistant", "content": new}]
        last = given[-1]["content"]
        if isinstance(last, str):
            return [*given[:-1], {**given[-1], "content": last + new}]
        return [
            *given[:-1],
            {**given[-1], "content": [*last[:-1], {**last[-1], "text": last[-1]["text"] + new}]},
        ]


def without_files(content: Any) -> Any:
    """Return a message's content as it is answered: an image's place, not the image."""
    if isinstance(content, str):
        return content
    return [part if part["type"] == "text" else {"type": "image"} for part in content]
