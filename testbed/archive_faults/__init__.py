"""Archives that are wrong in one way, one or more for each rule of `check`, and the finding that tells it."""

from testbed.archive_faults.archive import ARCHIVE_FAULTS
from testbed.archive_faults.config import CONFIG_FAULTS
from testbed.archive_faults.handler import HANDLER_FAULTS
from testbed.archive_faults.making import MODULE, SCRIPT, STATE_DICT, Fault, safetensors
from testbed.archive_faults.model_files import MODEL_FILE_FAULTS
from testbed.archive_faults.requirements import REQUIREMENTS_FAULTS
from testbed.archive_faults.weights import WEIGHTS_FAULTS

__all__ = ["FAULTS", "MODULE", "SCRIPT", "STATE_DICT", "Fault", "safetensors"]

FAULTS = [
    *ARCHIVE_FAULTS,
    *HANDLER_FAULTS,
    *WEIGHTS_FAULTS,
    *MODEL_FILE_FAULTS,
    *CONFIG_FAULTS,
    *REQUIREMENTS_FAULTS,
]
