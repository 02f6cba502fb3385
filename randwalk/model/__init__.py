"""Declarations, as data: coefficients, domains, lattices, starts, rules and walks."""
