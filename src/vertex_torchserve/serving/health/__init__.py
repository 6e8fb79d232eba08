"""From the first 503 to ready: a listener that holds the port, and the check that the model answers.

May read an archive's golden request and ask TorchServe over HTTP; starts and stops nothing.
"""
