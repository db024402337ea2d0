"""Results of fits, as arguments of what uses them further."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import xarray as xr


def numbers_of_fit(argument: str, fit: Any, names: Iterable[str], origin: str) -> dict[str, float]:
    """Numbers in a fit's result, by name.

    Parameters
    ----------
    argument : str
        What the user calls it.
    fit : Dataset
    names : iterable of str
    origin : str
        Function that returns such fits.

    Raises
    ------
    TypeError, ValueError
        If it is no Dataset, or one of them is missing or not one number.
    """
    if not isinstance(fit, xr.Dataset):
        raise TypeError(f"{argument} must be a Dataset, from {origin}; got {type(fit).__name__}")
    found = {}
    for name in names:
        if name not in fit or fit[name].size != 1:
            sizes = dict(fit[name].sizes) if name in fit else "nothing of that name"
            raise ValueError(
                f"{argument} must come from {origin}, with one number {name!r}; got {sizes}"
            )
        found[name] = float(fit[name].item())
    return found
