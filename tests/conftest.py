"""Hypothesis draws the same examples every time, and a slow machine is no failure."""

from hypothesis import settings

settings.register_profile("fixed", derandomize=True, deadline=None)
settings.load_profile("fixed")
