"""The table of tasks: the class of each, by the task's name.

A task's module is imported when the task is asked for. `vertex-torchserve package --task` reads the names of
both tables from this file's text, without running it: keep them literal.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hf_handler.task import Task

# Each task's module in `hf_handler.tasks`, and its class there.
TASKS: dict[str, str] = {
    "text-classification": "text_classification:TextClassification",
    "sentence-embeddings": "sentence_embeddings:SentenceEmbeddings",
    "sentence-similarity": "sentence_similarity:SentenceSimilarity",
    "text-ranking": "text_ranking:TextRanking",
    "table-question-answering": "table_question_answering:TableQuestionAnswering",
    "token-classification": "token_classification:TokenClassification",
    "question-answering": "question_answering:QuestionAnswering",
    "zero-shot-classification": "zero_shot_classification:ZeroShotClassification",
    "fill-mask": "fill_mask:FillMask",
    "feature-extraction": "feature_extraction:FeatureExtraction",
    "summarization": "summarization:Summarization",
    "text2text-generation": "text2text_generation:Text2TextGeneration",
    "translation": "translation:Translation",
    "text-generation": "text_generation:TextGeneration",
    "image-classification": "image_classification:ImageClassification",
    "zero-shot-image-classification": "zero_shot_image_classification:ZeroShotImageClassification",
    "object-detection": "object_detection:ObjectDetection",
    "image-segmentation": "image_segmentation:ImageSegmentation",
    "image-to-text": "image_to_text:ImageToText",
    "visual-question-answering": "visual_question_answering:VisualQuestionAnswering",
    "image-text-to-text": "image_text_to_text:ImageTextToText",
    "document-question-answering": "document_question_answering:DocumentQuestionAnswering",
    "audio-classification": "audio_classification:AudioClassification",
    "automatic-speech-recognition": "automatic_speech_recognition:SpeechRecognition",
}
# Other names, to those above: what transformers, Hugging Face's hub or other servers call the same task.
ALIASES: dict[str, str] = {
    "sentiment-analysis": "text-classification",
    "embeddings": "sentence-embeddings",
    "sentence-ranking": "text-ranking",
    "rerank": "text-ranking",
    "ner": "token-classification",
    "conversational": "text-generation",
    "chat-completion": "text-generation",
    "vqa": "visual-question-answering",
    "docvqa": "document-question-answering",
    "asr": "automatic-speech-recognition",
}


def canonical(name: object) -> str:
    """Return the name of a task in `TASKS`, given that name or an alias.

    `translation_en_to_de` and the like are `translation`, as in transformers.

    Raises:
        ValueError: There is no such task; the message says which there are.
    """
    text = ALIASES.get(name, name) if isinstance(name, str) else ""
    if text not in TASKS and text.startswith("translation_") and "_to_" in text:
        text = "translation"
    if text not in TASKS:
        raise ValueError(
            f"unknown task {name!r}; accepted: {', '.join(sorted(TASKS))}; "
            "fix: set handler.task in model-config.yaml to one of them"
        )
    return text


def task_class(name: object) -> "type[Task]":
    """Import the class of a task, given its name or an alias.

    Raises:
        ValueError: There is no such task.
    """
    module, _, class_name = TASKS[canonical(name)].partition(":")
    found: type[Task] = getattr(import_module(f"hf_handler.tasks.{module}"), class_name)
    return found
