"""Torch, which is optional: whether it is there, on which device, and on one thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def require_torch(extra: str) -> None:
    """Import torch.

    Raises
    ------
    ImportError
        If it is not installed, naming the extra of the package that brings it.
    """
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ImportError(
            f"networks need torch, which the extra isingrl[{extra}] brings"
        ) from error


def check_device(device: Any) -> str:
    """Return the name of a device of torch if it is there.

    Raises
    ------
    ValueError
        If the name is unknown or there is no such device.
    """
    import torch

    if not isinstance(device, str) or not (device == "cpu" or device.startswith("cuda")):
        raise ValueError(f"device must be 'cpu' or 'cuda'; got {device!r}")
    if device != "cpu" and not torch.cuda.is_available():
        raise ValueError(f"device must be 'cpu', as torch finds no GPU here; got {device!r}")
    return device


@contextmanager
def one_thread() -> Iterator[None]:
    """Small networks gain nothing from threads, and sums stay in one order."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
