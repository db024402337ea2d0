"""Bars that tell how far something is, in terminals and notebooks."""

from __future__ import annotations

import warnings

from tqdm import TqdmWarning

with warnings.catch_warnings():
    # said in notebooks without ipywidgets, where bars are text as in a terminal
    warnings.simplefilter("ignore", TqdmWarning)
    from tqdm.auto import tqdm

__all__ = ["WIDGETS", "tqdm"]

WIDGETS = any(kind.__module__ == "tqdm.notebook" for kind in tqdm.__mro__)
"""Whether bars are widgets of a notebook."""
