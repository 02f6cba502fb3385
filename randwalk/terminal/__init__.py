"""Standard streams, exit status, progress."""
