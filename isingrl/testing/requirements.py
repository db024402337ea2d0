"""Helpers of all conformance tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from isingrl.lattice import Lattice
from isingrl.model import Ising
from isingrl.spin_model import Model


def ensure(holds: object, message: str) -> None:
    """Raise an AssertionError with this message unless `holds`; also under ``python -O``."""
    if not holds:
        raise AssertionError(message)


def model_or_default(model: Model | None) -> Model:
    """The model given, or a small one on the square lattice."""
    return Ising(Lattice((4, 4))) if model is None else model


def ensure_name(kind: Any) -> None:
    """Ensure that the attribute ``name`` is text."""
    name = getattr(kind, "name", None)
    who = type(kind).__name__
    ensure(isinstance(name, str) and name, f"{who}.name must be text; got {name!r}")


def ensure_json(settings: Any, who: str) -> Any:
    """Ensure that JSON can hold settings; return them as JSON gives them back."""
    ensure(isinstance(settings, dict), f"{who}.settings must return a dict; got {settings!r}")
    try:
        return json.loads(json.dumps(settings))
    except TypeError as error:
        raise AssertionError(
            f"{who}.settings must be numbers, text, or lists or dicts of them: {error}"
        ) from error


def same_arrays(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether arrays of the same names are equal, NaN included."""
    return one.keys() == other.keys() and all(
        np.array_equal(values, other[name], equal_nan=np.asarray(values).dtype.kind == "f")
        for name, values in one.items()
    )
