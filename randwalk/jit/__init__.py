"""How kernels are compiled: options, the cache on disk, vectors and their instructions. Knows no walk."""
