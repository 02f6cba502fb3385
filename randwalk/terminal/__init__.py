"""Standard streams, output files, exit status, progress."""
