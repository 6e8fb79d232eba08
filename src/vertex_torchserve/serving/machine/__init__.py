"""What the machine has (cores, memory, GPUs), and the workers, threads and batches that fit it.

Reads the machine, the settings and an archive's own wishes; changes nothing and knows nothing of TorchServe.
"""
