"""Wait for what an `async def` of the author's returns."""

import asyncio
import atexit
import functools
import inspect
from typing import Any


def awaited(value: Any) -> Any:
    """The result, where the value is one that must be awaited; else the value itself.

    Args:
        value: What the author's code returned.
    """
    return _loop().run_until_complete(_result(value)) if inspect.isawaitable(value) else value


async def _result(value: Any) -> Any:
    return await value


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    """One for all calls: a client of HTTP that the author's code keeps stays with the loop it began in."""
    loop = asyncio.new_event_loop()
    atexit.register(loop.close)
    return loop
