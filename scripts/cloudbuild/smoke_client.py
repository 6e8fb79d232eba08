"""Ask a server of row_sum.py's model: 503 on /ping until it is ready, then the right sums.

    python smoke_client.py http://HOST:8080

Standard library only: it runs in whatever image is under test.
"""

import json
import sys
import time
import urllib.error
import urllib.request

_READY_SECONDS = 180.0
_REQUEST_SECONDS = 30.0
_INSTANCES = [[1.0, 2.0, 3.0], [0.5, 0.5, -4.0]]
_SUMS = [6.0, -3.0]


def main(base_url: str) -> int:
    """Returns the exit code: 0 when everything is as it must be."""
    started = time.monotonic()
    while (status := _status(f"{base_url}/ping")) != 200:
        waited = time.monotonic() - started
        if status not in (None, 503) or waited > _READY_SECONDS:
            return _failed(f"/ping answers {status} after {waited:.1f} s; 503 and then 200 is right")
        time.sleep(0.1)
    _say(f"ready after {time.monotonic() - started:.1f} s")
    body = json.dumps({"instances": _INSTANCES}).encode()
    request = urllib.request.Request(  # noqa: S310 - http, as the caller says
        f"{base_url}/predictions/model", body, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_REQUEST_SECONDS) as response:  # noqa: S310
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        return _failed(f"the predictions are answered with {error.code}: {error.read(500)!r}")
    if answer != {"predictions": _SUMS}:
        return _failed(f"the answer is {answer}; the predictions must be {_SUMS}")
    _say(f"predictions {_SUMS}")
    if _status(f"{base_url}/models") == 200:
        return _failed("the management API answers on the predictions' port")
    return 0


def _status(url: str) -> int | None:
    """The HTTP status; None while nobody listens."""
    try:
        with urllib.request.urlopen(url, timeout=_REQUEST_SECONDS) as response:  # noqa: S310
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def _failed(message: str) -> int:
    sys.stderr.write(f"smoke test failed: {message}\n")
    return 1


def _say(message: str) -> None:
    sys.stdout.write(f"{message}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
