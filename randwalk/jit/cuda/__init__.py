"""How kernels for CUDA devices are compiled and launched, and their instructions for pairs of 16-bit numbers."""
