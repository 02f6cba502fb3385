"""A walk as whole numbers: step tables, windows of sites, exact powers of a step."""
