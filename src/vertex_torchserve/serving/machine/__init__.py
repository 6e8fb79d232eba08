"""What the machine has (cores, memory, GPUs), and how many workers, threads and batches that makes."""
