"""The names of an archive's members that mean something to TorchServe or to us."""

MANIFEST_NAME = "MAR-INF/MANIFEST.json"
MODEL_CONFIG_NAME = "model-config.yaml"
# In a folder that is packaged: what is installed when the model is served.
REQUIREMENTS_NAME = "requirements.txt"
# At the archive's root: what the served model must answer right before it is called ready.
GOLDEN_REQUEST_NAME = "golden-request.json"
# What TorchServe reads in place of the archive's own, which stays as it is: a handler may read it.
EFFECTIVE_CONFIG_NAME = f"MAR-INF/{MODEL_CONFIG_NAME}"
