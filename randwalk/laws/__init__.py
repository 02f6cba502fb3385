"""What can be asked of a law, and the estimates that answer."""
