"""Faults of model-config.yaml and the golden request."""

from testbed.archive_faults.making import Fault, archive_of, reference_archive, safetensors

CONFIG_FAULTS = [
    Fault("config-readable", "error", "model-config.yaml", "is empty", archive_of(config="# nothing\n")),
    Fault(
        "config-keys-known",
        "warning",
        "model-config.yaml",
        "'batch_size' is no key that TorchServe knows",
        archive_of(config="batch_size: 4\n"),
    ),
    Fault(
        "config-keys-known",
        "warning",
        "model-config.yaml",
        "'maxBatchDelays' is no key",
        archive_of(config="maxBatchDelays: 4\n"),
    ),
    Fault(
        "config-keys-known",
        "warning",
        "model-config.yaml",
        "batchSize is '4', which TorchServe passes over",
        archive_of(config="batchSize: '4'\n"),
    ),
    Fault(
        "config-keys-known",
        "warning",
        "model-config.yaml",
        "useVenv is 1, which TorchServe",
        archive_of(config="useVenv: 1\n"),
    ),
    Fault(
        "workers-whole",
        "warning",
        "model-config.yaml",
        "minWorkers is 2 and maxWorkers is None",
        archive_of(config="minWorkers: 2\n"),
    ),
    Fault(
        "workers-whole",
        "warning",
        "model-config.yaml",
        "minWorkers is 2 and maxWorkers is 1",
        archive_of(config="minWorkers: 2\nmaxWorkers: 1\n"),
    ),
    Fault(
        "time-outs-positive",
        "warning",
        "model-config.yaml",
        "responseTimeout is 0: TorchServe takes 120",
        archive_of(config="responseTimeout: 0\n"),
    ),
    Fault(
        "async-without-envelope",
        "error",
        "MAR-INF/MANIFEST.json",
        "names the service envelope 'json'",
        archive_of(
            "async def handle(d, c):\n    return d\n", config="asyncCommunication: true\n", envelope="json"
        ),
    ),
    Fault(
        "golden-request-readable",
        "error",
        "golden-request.json",
        '"instances" must be a list',
        archive_of(files={"golden-request.json": "{}"}),
    ),
    Fault(
        "handler-settings-known",
        "error",
        "model-config.yaml",
        "handler.tasks is no setting of the reference handler; accepted: task, dtype",
        reference_archive(
            {
                "config.json": "{}",
                "model.safetensors": safetensors(),
                "hf_handler/settings.py": "class Settings:\n    task: str\n    dtype: str\n",
            },
            "handler: {tasks: summarization}\n",
        ),
    ),
]
