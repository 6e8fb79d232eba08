"""Whether the golden request can be sent."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject
from vertex_torchserve.archive_check.views.view import MemberError
from vertex_torchserve.errors import InputError
from vertex_torchserve.serving.archive.golden_request import parse_golden_request, require_model
from vertex_torchserve.serving.archive.member_names import GOLDEN_REQUEST_NAME
from vertex_torchserve.serving.archive.request_file import MOST_BYTES


@rule
def golden_request_readable(subject: Subject) -> Iterator[Finding]:
    """`golden-request.json` holds requests, nothing that is no part of one, and this model's own answers.

    The server sends it before it calls itself ready, and refuses to start with one that it can't read.

    Fix: correct the file, or leave it out.
    """
    if not subject.holds(GOLDEN_REQUEST_NAME):
        return
    try:
        golden = parse_golden_request(subject.text(GOLDEN_REQUEST_NAME, MOST_BYTES))
        if subject.manifest is not None:
            require_model(golden, subject.manifest.model_name, GOLDEN_REQUEST_NAME)
    except InputError as refused:
        for problem in refused.problems:
            yield error(GOLDEN_REQUEST_NAME, *problem)
    except MemberError as refused:
        yield error(GOLDEN_REQUEST_NAME, str(refused), "correct the file, or leave it out")
