"""Packages that are not needed for most of what the package does."""

from __future__ import annotations

from typing import Any


def xarray_for(what: str) -> Any:
    """The xarray package, without which there is no `what`."""
    try:
        import xarray
    except ImportError:
        raise ImportError(f'{what} needs xarray: pip install "randwalk-pde[io]"') from None
    return xarray
