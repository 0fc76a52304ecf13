"""The HTTP door: everything that is transport, and nothing else."""
