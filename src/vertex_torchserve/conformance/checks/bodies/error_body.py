"""An error's body is JSON: an object with `error`, a text."""

import json

from vertex_torchserve.conformance.bad_bodies import MALFORMED
from vertex_torchserve.conformance.check import should
from vertex_torchserve.conformance.sources import ONLINE_PREDICTIONS
from vertex_torchserve.conformance.trial import Trial
from vertex_torchserve.conformance.verdict import Broken, NotRun


@should(ONLINE_PREDICTIONS)
def error_body(trial: Trial) -> str:
    """An error's body is JSON: an object with `error`, a text.

    That is how Google's clients show it.

    Fix: answer {"error": "<what is wrong>"} with Content-Type: application/json.
    """
    answer = trial.ask(MALFORMED[0])
    if answer.status < 400:
        raise NotRun(f"malformed JSON is no error to it: {answer.shown()}")
    try:
        content = json.loads(answer.body)
    except ValueError:
        content = None
    if not isinstance(content, dict) or not isinstance(content.get("error"), str):
        raise Broken(f"malformed JSON got {answer.shown()}")
    return answer.shown()
