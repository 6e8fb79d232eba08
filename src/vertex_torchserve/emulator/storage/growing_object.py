"""An object that is written line by line, in a resumable upload: no more of it than one part is in memory."""

import httpx

# Cloud Storage takes parts of whole multiples of 256 KiB, but for the last.
_PART_BYTES = 8 << 20


class GrowingObject:
    """An object that is there, whole, once `close` has returned.

    Args:
        http: Asks the storage emulator.
        address: The path for uploads to the bucket.
        name: The object's name.

    Raises:
        HTTPStatusError: The emulator refuses it.
    """

    def __init__(self, http: httpx.Client, address: str, name: str) -> None:
        self._http = http
        begun = http.post(address, params={"uploadType": "resumable", "name": name}, json={})
        self._session = begun.raise_for_status().headers["Location"]
        self._waiting = bytearray()
        self._sent = 0

    def write(self, content: bytes) -> None:
        """Append bytes.

        Raises:
            HTTPStatusError: The emulator refuses them.
        """
        self._waiting += content
        while len(self._waiting) > _PART_BYTES:
            self._send(bytes(self._waiting[:_PART_BYTES]), "*")
            del self._waiting[:_PART_BYTES]

    def close(self) -> None:
        """Send what is left: then the object is there.

        Raises:
            HTTPStatusError: The emulator refuses it.
        """
        self._send(bytes(self._waiting), str(self._sent + len(self._waiting)))

    def _send(self, part: bytes, total: str) -> None:
        end = self._sent + len(part)
        sent = f"{self._sent}-{end - 1}" if part else "*"
        answer = self._http.put(
            self._session, content=part, headers={"Content-Range": f"bytes {sent}/{total}"}
        )
        if answer.status_code != 308:  # more is expected
            answer.raise_for_status()
        self._sent = end
