"""The speed of the package, compared with the limit of the machine and with common programs: ``python -m benchmarks``."""
