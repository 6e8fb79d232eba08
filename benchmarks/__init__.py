"""Programs that measure: each is run from the checkout's root as `python -m benchmarks.NAME`.

They import the package, the reference handler and `testbed`; nothing imports them.
"""
