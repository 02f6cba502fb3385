"""Likelihoods of measured data under the law of a model, and their maximum: estimates, errors, intervals."""
