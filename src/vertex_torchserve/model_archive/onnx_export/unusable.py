"""Why a model isn't packaged as ONNX."""


class UnusableError(Exception):
    """Why the model isn't packaged so.

    Args:
        message: What is wrong.
        fix: What the packager can do.
    """

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix
