"""The keys of model-config.yaml that TorchServe 0.12 knows, and their types (`ModelConfig.java`)."""

WHOLE_NUMBERS = frozenset(
    {
        "batchSize", "clientTimeoutInMills", "jobQueueSize", "maxBatchDelay", "maxNumSequence",
        "maxRetryTimeoutInSec", "maxSequenceJobQueueSize", "maxWorkers", "minWorkers", "parallelLevel",
        "responseTimeout", "sequenceMaxIdleMSec", "sequenceTimeoutMSec", "startupTimeout",
    }
)  # fmt: skip
FLAGS = frozenset({"asyncCommunication", "continuousBatching", "sequenceBatching", "useJobTicket", "useVenv"})
TEXTS = frozenset({"deviceType", "parallelType"})
OTHERS = frozenset({"deviceIds", "torchrun"})
KNOWN = WHOLE_NUMBERS | FLAGS | TEXTS | OTHERS
