"""The probe as docker and Vertex AI run it: a program of its own, in `/`, that asks a real server."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from vertex_torchserve.serving.health.early_listener import EarlyListener
from vertex_torchserve.serving.ports import free_ports

PROBE = (sys.executable, "-I", "-m", "vertex_torchserve.serving.probe")


@dataclass
class Health:
    """What the server answers now."""

    status: int
    body: bytes


@contextmanager
def serving(health: Health) -> Iterator[int]:
    """Answers every GET with what `health` says; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = health if self.path == "/ping" else Health(404, b"")
            self.send_response(found.status)
            self.send_header("Content-Length", str(len(found.body)))
            self.end_headers()
            self.wfile.write(found.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def probe(*arguments: str, **environment: str) -> tuple[int, str]:
    """Its exit code and all it said."""
    answer = subprocess.run(
        [*PROBE, *arguments],
        cwd="/", env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    return answer.returncode, answer.stdout


def test_ready_is_0_without_a_word() -> None:
    with serving(Health(200, b'{"status": "Healthy"}')) as port:
        assert probe(AIP_HTTP_PORT=str(port), VTS_HTTP_PORT="1") == (0, "")
        assert probe(VTS_HTTP_PORT=str(port)) == (0, "")
        assert probe("--wait", "5", AIP_HTTP_PORT=str(port), VTS_HTTP_HOST="0.0.0.0") == (0, "")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"status": "Unhealthy", "reason": "0 of 2 workers"}', "/ping answered 503: 0 of 2 workers"),
        (b"<html>\n busy \n</html>", "/ping answered 503: <html> busy </html>"),
        (b"[1]", "/ping answered 503: [1]"),
        (b"", "/ping answered 503: nothing"),
        (b"x" * 1000, f"/ping answered 503: {'x' * 300}"),
    ],
)
def test_not_ready_is_1_and_one_line_with_the_reason(body: bytes, said: str) -> None:
    with serving(Health(503, body)) as port:
        assert probe(AIP_HTTP_PORT=str(port)) == (1, f"not ready: {said}\n")


def test_what_our_server_says_while_it_starts() -> None:
    (port,) = free_ports(1)
    with EarlyListener("127.0.0.1", port, "the archive is being fetched"):
        assert probe(AIP_HTTP_PORT=str(port)) == (
            1,
            "not ready: /ping answered 503: the archive is being fetched\n",
        )


def test_nobody_answers() -> None:
    (port,) = free_ports(1)
    code, said = probe(AIP_HTTP_PORT=str(port))
    assert code == 1
    assert said.startswith(f"not ready: /ping on port {port} does not answer: ")
    assert "Connection refused" in said
    assert said.count("\n") == 1


def test_a_wait_ends_when_the_server_is_ready() -> None:
    health = Health(503, json.dumps({"reason": "loading"}).encode())
    with serving(health) as port:
        with subprocess.Popen(
            [*PROBE, "--wait", "50"], env={"AIP_HTTP_PORT": str(port)}, stdout=subprocess.PIPE, text=True
        ) as process:
            time.sleep(0.7)
            assert process.poll() is None
            health.status = 200
            said, _ = process.communicate(timeout=20)
        assert (process.returncode, said) == (0, "")


def test_a_wait_ends_when_its_time_is_over() -> None:
    with serving(Health(503, b'{"reason": "loading"}')) as port:
        started = time.monotonic()
        assert probe("--wait", "1", AIP_HTTP_PORT=str(port)) == (
            1,
            "not ready: /ping answered 503: loading\n",
        )
        assert time.monotonic() - started > 0.4


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (("--wait",), {}, "not ready: arguments ['--wait'] are not `--wait SECONDS`\n"),
        (("--wait", "-1"), {}, "not ready: arguments ['--wait', '-1'] are not `--wait SECONDS`\n"),
        (
            (),
            {"AIP_HTTP_PORT": "http"},
            "not ready: AIP_HTTP_PORT='http' is not a port; 1 to 65535 is accepted\n",
        ),
    ],
)
def test_what_can_t_be_asked(arguments: tuple[str, ...], environment: dict[str, str], said: str) -> None:
    assert probe(*arguments, **environment) == (1, said)


def test_it_imports_next_to_nothing() -> None:
    """It is started every few seconds beside a busy model."""
    program = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "import vertex_torchserve.serving.probe\n"
        "roots = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(roots - sys.stdlib_module_names))"
    )
    answer = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "vertex_torchserve\n"
