"""Bodies that no model can answer."""

MALFORMED = (b'{"instances": [', b"instances=1", b'{"instances": ["\xff\xfe"]}')
NO_REQUESTS = (b"{}", b'{"instance": [1]}', b'{"instances": 5}', b'{"instances": null}', b"null", b"5")
NO_INSTANCES = b'{"instances": []}'
BAD_BODIES = (b"", *MALFORMED, *NO_REQUESTS, NO_INSTANCES)
