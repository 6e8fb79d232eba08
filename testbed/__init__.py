"""What tests, benchmarks and scripts share: tiny models and archives, servers, deadlines.

It imports the package and the reference handler, and none of the three. Where the reference handler is used,
the folder `handlers` must be on the PYTHONPATH, as TorchServe puts a model's folder there.
"""
