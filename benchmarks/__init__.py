"""Programs that measure: each is run from the checkout's root as `python -m benchmarks.NAME`, and says what it does.

They import the package, the reference handler and `testbed`; nothing imports them.
"""
