"""Measured data as values: what was seen, how it was read, and what can be asked of it without a model."""
