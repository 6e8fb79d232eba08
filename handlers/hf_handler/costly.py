"""What our server and this handler say to each other about requests that take long.

A request to write many tokens looks as small as any other until it is read. While others send small ones, our
server takes it back then, and begins it as it begins large ones: apart from small ones, and never on all
workers (docs/decisions/0038).
"""

from typing import Any

# A header that our server gives each request, in place of what a client may have sent: what to do where the
# request will take long. Without it, as in another server, nothing is done.
COSTLY = "x-vts-costly"
TELL, HAND_BACK = "tell", "hand-back"  # any other value: begin it
# The same header of the answer, which our server takes out.
TOLD, HANDED_BACK = "told", "handed-back"
# Tokens to write, times the rows that this takes: some tenths of a second for the smallest models.
MOST_TOKENS = 128


def asked_of(processor: Any) -> str | None:
    """Return what the server wants of a request that will take long.

    Args:
        processor: TorchServe's `RequestProcessor`, which has the request's headers; None where there is none.
    """
    return None if processor is None else processor.get_request_property(COSTLY)
