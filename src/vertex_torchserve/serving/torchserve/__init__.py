"""TorchServe as a program: its configuration files, command line, process and requirements."""
