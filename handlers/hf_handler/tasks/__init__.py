"""One file a task, named as transformers names its pipelines."""
