"""Golden requests: record what a model answers, ask it again, compare two models.

May use `smoke_test` and what is below it; needs no cloud.
"""
