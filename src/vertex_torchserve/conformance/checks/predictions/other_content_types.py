"""A body of another `Content-Type`, or of none, is answered or refused, not failed on."""

from vertex_torchserve.conformance.answers import require_no_failure
from vertex_torchserve.conformance.check import should
from vertex_torchserve.conformance.sources import ONLINE_PREDICTIONS
from vertex_torchserve.conformance.trial import Trial

_PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@should(ONLINE_PREDICTIONS)
def other_content_types(trial: Trial) -> str:
    """A body of another `Content-Type`, or of none, is answered or refused, not failed on.

    rawPredict passes on whatever header a client sends.

    Fix: answer 415 or 400 for what can't be read.
    """
    seen = []
    for content_type, body in (("", trial.request.body()), ("text/plain", b"a text"), ("image/png", _PNG)):
        headers = {"Content-Type": content_type} if content_type else {}
        answer = trial.ask(body, headers=headers)
        require_no_failure(answer, f"Content-Type {content_type or 'missing'}")
        seen.append(f"{content_type or 'none'}: {answer.status}")
    return ", ".join(seen)
