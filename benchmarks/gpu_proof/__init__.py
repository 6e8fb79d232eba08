"""The proof of a machine with a GPU: a kit to carry there (kit/), and the program that runs there.

`python -m benchmarks.gpu_proof` runs the parts that part_table.py lists, each in a process of its own, and
writes one JSON file and one page. Where torch can use no GPU it runs on the CPU and says that CUDA was not
measured.
"""
