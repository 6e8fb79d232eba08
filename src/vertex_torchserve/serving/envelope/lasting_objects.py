"""Objects that last as long as the worker, left out of the garbage collector's passes.

An import of torch and transformers makes 400,000 objects. Python looks through them for garbage again and
again while they become more, a tenth of the time until the model is loaded, and a pass between requests would
stop the worker for 0.3 s.
"""

import functools
import gc
from typing import Any


def leave_out_lasting_objects(loader: Any) -> None:
    """Have what is there once a handler is imported, and once its model is loaded, left out from then on.

    Args:
        loader: TorchServe's `TsModelLoader`, the class.
    """
    import_handler, load = loader._load_handler_file, loader.load

    @functools.wraps(import_handler)
    def imported(*arguments: Any) -> Any:
        gc.disable()
        try:
            return import_handler(*arguments)
        finally:
            gc.freeze()
            gc.enable()

    @functools.wraps(load)
    def loaded(*arguments: Any, **named: Any) -> Any:
        service = load(*arguments, **named)
        gc.collect()  # what the load has left behind may be as large as the weights
        gc.freeze()
        return service

    loader._load_handler_file, loader.load = imported, loaded
