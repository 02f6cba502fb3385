"""How fast, against what is possible and against what people use: ``python -m benchmarks``."""
