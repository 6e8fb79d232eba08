"""What the server does about each attack, and the test that holds it."""

from typing import NamedTuple

_JAVA = "tests/integration/serving/java"
_FORM = f"{_JAVA}/test_forms.py::test_hostile_forms_are_refused_and_keep_nobody_waiting"
_FRAMING = f"{_JAVA}/test_framing.py::test_an_ambiguous_request_is_400_and_the_last"
_SLOW = f"{_JAVA}/test_slow_clients.py::test_a_request_that_does_not_arrive_is_408"
_BODY = "tests/unit/serving/envelope/instances/test_requests.py::test_a_malformed_request_is_refused_alone"
_HEAD = (
    "tests/integration/serving/envelope/test_served.py::test_heads_that_can_t_be_sent_fail_their_own_requests"
)
_BOUND = "tests/integration/handlers/test_bounds.py::test_too_much_is_a_400_of_its_own"

_MANY_FIELDS = "counts fields while they arrive: 413 at the 129th"
_MANY_PARTS = "counts parts while they arrive: 413 at the 129th"
_PART_HEADERS = "413 once the headers of a part have more than 8,192 bytes"
_AMBIGUOUS = "400, and nothing behind it is read"
_ANSWER_HEAD = "checks it in the worker: 500 with its name, for this request alone"


class Defence(NamedTuple):
    """What keeps an attack from others.

    Attributes:
        does: What the server does.
        test: The pytest node that holds it.
    """

    does: str
    test: str


DEFENCES = {
    "nothing": Defence("answers as always", f"{_JAVA}/test_routes.py::test_a_prediction_is_answered"),
    "form-of-a-million-fields": Defence(_MANY_FIELDS, f"{_FORM}[million-fields]"),
    "form-of-empty-fields": Defence(_MANY_FIELDS, f"{_FORM}[many-fields-without-names]"),
    "form-field-of-10-MB": Defence(
        "413 at 999,999 bytes of a form that is not in parts", f"{_FORM}[one-field-of-10-MB]"
    ),
    "form-of-170000-parts": Defence(_MANY_PARTS, f"{_FORM}[170000-parts]"),
    "form-part-header-of-9.9-MB": Defence(_PART_HEADERS, f"{_FORM}[header-name-of-9.9-MB]"),
    "form-part-of-1.9-million-headers": Defence(_PART_HEADERS, f"{_FORM}[millions-of-headers]"),
    "form-in-a-part": Defence("400: a part is no form", f"{_FORM}[form-within-a-part]"),
    "form-boundary-that-repeats-itself": Defence(_MANY_PARTS, f"{_FORM}[boundary-that-repeats-itself]"),
    "form-without-boundary": Defence(
        "400 before anything is decoded", f"{_JAVA}/test_forms.py::test_a_body_that_is_no_form_is_400"
    ),
    "form-part-without-name": Defence("400", f"{_JAVA}/test_forms.py::test_a_body_that_is_no_form_is_400"),
    "form-file-of-10-MB": Defence(
        "decodes forms beside the threads of the connections",
        f"{_JAVA}/test_forms.py::test_forms_are_decoded_in_threads_of_their_own",
    ),
    "length-and-chunked": Defence(_AMBIGUOUS, f"{_FRAMING}[length-and-chunked]"),
    "two-lengths": Defence(_AMBIGUOUS, f"{_FRAMING}[length-twice]"),
    "length-with-a-sign": Defence(_AMBIGUOUS, f"{_FRAMING}[length-with-plus]"),
    "two-codings": Defence(_AMBIGUOUS, f"{_FRAMING}[coding-chunked-xchunked]"),
    "chunked-in-http-1.0": Defence(_AMBIGUOUS, f"{_FRAMING}[http-1.0-chunked]"),
    "negative-chunk": Defence(_AMBIGUOUS, f"{_FRAMING}[chunk-size-minus-one]"),
    "chunk-extension-with-lf": Defence(_AMBIGUOUS, f"{_FRAMING}[chunk-extension-with-bare-lf]"),
    "control-character-in-a-name": Defence(_AMBIGUOUS, f"{_FRAMING}[header-name-behind-nul]"),
    "control-character-before-a-request": Defence(_AMBIGUOUS, f"{_FRAMING}[before-the-request-line-nul]"),
    "http-9.9": Defence(_AMBIGUOUS, f"{_FRAMING}[version-HTTP/9.9]"),
    "no-host": Defence(_AMBIGUOUS, f"{_FRAMING}[no-host]"),
    "two-hosts": Defence(_AMBIGUOUS, f"{_FRAMING}[two-hosts]"),
    "head-of-10-MB": Defence("400 at the limit of a head", f"{_FRAMING}[head-without-end]"),
    "target-of-10-MB": Defence("400 at the limit of a request line", f"{_FRAMING}[target-without-end]"),
    "million-chunks": Defence(
        "passes on as one what arrives together; 413 at the 20,001st",
        f"{_JAVA}/test_framing.py::test_twenty_thousand_chunks_are_the_most",
    ),
    "json-nested-5000000-deep": Defence("400 at Python's own depth", _BODY),
    "json-number-of-10-MB": Defence("400: Python reads 4,300 digits", _BODY),
    "json-of-3-million-instances": Defence("400: 100,000 instances a request", _BODY),
    "gzip-of-500-MB": Defence(
        "415 before the body is read: coded bodies are not taken",
        f"{_JAVA}/test_content_coding.py::test_a_coded_body_is_415",
    ),
    "body-said-to-have-1-TB": Defence(
        "413 before the body is sent",
        f"{_JAVA}/test_limits.py::test_a_body_that_is_too_large_gets_413_with_the_limit",
    ),
    "stop-of-5-million-characters": Defence("400: 1,000 characters each, 8 of them", _BOUND),
    "stop-of-10000-characters": Defence("400: 1,000 characters each, 8 of them", _BOUND),
    "100000-texts-to-write-on": Defence("400: 16,384 rows of work a request", _BOUND),
    "text-of-10-MB-to-write-on": Defence("400: 1,000,000 characters a text", _BOUND),
    "most-beams-and-tokens": Defence("400: tokens x beams x texts have a bound", _BOUND),
    "beams-and-tokens-within-the-bound": Defence(
        "begins it apart from short ones, on one of two workers at most",
        "tests/integration/handlers/test_served.py"
        "::test_short_texts_are_written_while_eight_clients_wait_for_long_ones",
    ),
    "200000-messages": Defence("400: 1,000 messages", _BOUND),
    "20000-names-in-one-text": Defence("400: 1,000 labels however they are written", _BOUND),
    "sound-at-640-kHz": Defence(
        "counts samples by the file's head: 413",
        "tests/integration/handlers/test_bounds.py::test_a_sound_of_many_samples",
    ),
    "40-pictures-of-49-megapixels": Defence(
        "counts pixels by the files' heads: 413",
        "tests/integration/handlers/test_bounds.py::test_forty_pictures_of_49_megapixels",
    ),
    "text-of-10-MB": Defence("400: 1,000,000 characters a text", _BOUND),
    "14000-long-texts": Defence("400: 4,000,000 characters a request", _BOUND),
    "context-of-2-million-words": Defence("400: 1,000,000 characters a text", _BOUND),
    "json-of-2-million-instances": Defence("400: 100,000 instances a request", _BODY),
    **{
        f"header-{name}": Defence(_ANSWER_HEAD, _HEAD)
        for name in (
            "value-with-a-newline", "value-with-nul", "value-with-a-surrogate", "value-none", "without-name",
            "transfer-encoding", "content-length", "of-1-MB",
        )
    },
    "status-99": Defence("500: statuses from 200 to 599 are sent", _HEAD),
    "answer-of-5-million-numbers": Defence(
        "counts the answer while it is written, and stops: 500",
        "tests/unit/serving/envelope/instances/test_bounded_json.py::test_what_is_too_long_is_not_written_to_its_end",
    ),
    "line-of-20-MB": Defence(
        "cuts a line that is printed",
        "tests/unit/serving/envelope/test_model_service_worker.py::test_a_line_that_is_too_long_is_cut",
    ),
    "200-half-sent-heads": Defence("408 at the time-out of reading", f"{_SLOW}[half-a-head]"),
    "200-half-sent-bodies": Defence("408 at the time-out of reading", f"{_SLOW}[half-a-body]"),
    "100-heads-a-byte-a-second": Defence("408 at the time-out of reading", f"{_SLOW}[a-head-byte-by-byte]"),
    "100-bodies-a-byte-a-second": Defence("408 at the time-out of reading", f"{_SLOW}[a-body-byte-by-byte]"),
    "250-idle-connections": Defence(
        "closes them at the time-out of idle connections",
        f"{_JAVA}/test_slow_clients.py::test_connections_without_a_request_are_closed_much_later",
    ),
    "1000-requests-unread": Defence(
        "answers one after the other, and leaves who does not take the answer",
        f"{_JAVA}/test_slow_clients.py::test_who_does_not_take_the_answer_is_left",
    ),
}  # fmt: skip
