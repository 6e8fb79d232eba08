"""A plain HTTP server of one folder: PUT writes a file and answers when the disk has it, GET sends one.

    python -m benchmarks.plain_files FOLDER

What a large file costs over loopback with nothing else done to it: no checksum, no object, no index. Prints
its port and ends with its standard input.
"""

import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_PIECE_BYTES = 1 << 20


class _Files(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        left, buffer = int(self.headers["Content-Length"]), memoryview(bytearray(_PIECE_BYTES))
        with self._path().open("wb", buffering=0) as file:
            while left:
                count = self.rfile.readinto(buffer[:left])
                left -= file.write(buffer[:count])
            os.fsync(file.fileno())
        self._head(0)

    def do_GET(self) -> None:
        with self._path().open("rb") as file:
            self._head(os.fstat(file.fileno()).st_size)
            self.connection.sendfile(file)

    def _path(self) -> Path:
        return Path(sys.argv[1], Path(self.path).name)

    def _head(self, length: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Files)
    threading.Thread(target=server.serve_forever).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
    server.shutdown()
