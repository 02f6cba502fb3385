"""Walkers moved and counted."""
