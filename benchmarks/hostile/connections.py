"""Clients that are slow, many, or don't listen."""

from .attack import HEAD, Attack, asked, outcomes

GOOD = asked("a")
PING = b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n"
# A client is harmless while it is open; when the server ends it is a matter of its time-outs.
PATIENT = outcomes("open", "closed", 408, 503)

CONNECTIONS = (
    Attack("200-half-sent-heads", "200 heads without their end", lambda: HEAD, PATIENT,
           connections=200, holds=True),
    Attack("200-half-sent-bodies", "200 bodies without their end", lambda: GOOD[:-1], PATIENT,
           connections=200, holds=True),
    Attack("100-heads-a-byte-a-second", "100 heads that go on with one byte a second",
           lambda: HEAD + b"X-A: ", PATIENT, connections=100, drips=True, holds=True),
    Attack("100-bodies-a-byte-a-second", "100 bodies that go on with one byte a second",
           lambda: HEAD + b"Content-Length: 10000\r\n\r\n", PATIENT, connections=100, drips=True, holds=True),
    Attack("250-idle-connections", "250 connections that asked `/ping` and stay", lambda: PING,
           PATIENT | outcomes(200), connections=250, holds=True),
    Attack("1000-requests-unread", "1,000 requests on one connection, no answer read", lambda: GOOD * 1_000,
           PATIENT, reads=False, holds=True),
)  # fmt: skip
