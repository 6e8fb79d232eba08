"""What the KFP component does: check all inputs, download, package, smoke-test, upload, register.

Its interface is component/component.py, which calls `run` and nothing else.
"""
