"""Torch, which is optional: whether it is there, on which device, and on one thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from isingrl.support.archives import Arrays
from isingrl.support.validation import require


def require_torch(extra: str) -> None:
    """Import torch.

    Raises
    ------
    ImportError
        If it is not installed, naming the extra of the package that brings it.
    """
    require("torch", "networks need", extra)


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


def optimizer_state(optimizer: Any) -> Arrays:
    """Copies of what an optimizer of torch keeps of every parameter, by number and name."""
    import torch

    return {
        f"{index}.{name}": torch.as_tensor(values).cpu().numpy().copy()
        for index, kept in optimizer.state_dict()["state"].items()
        for name, values in kept.items()
    }


def restore_optimizer(optimizer: Any, arrays: Arrays) -> None:
    """Take over what `optimizer_state` returned."""
    import torch

    kept: dict[int, dict[str, torch.Tensor]] = {}
    for name, values in arrays.items():
        index, _, key = name.partition(".")
        kept.setdefault(int(index), {})[key] = torch.tensor(values)
    optimizer.load_state_dict(optimizer.state_dict() | {"state": kept})
    # torch gives all of them the type of the parameter, with which NAdam goes on to other numbers
    parameters = [each for group in optimizer.param_groups for each in group["params"]]
    for number, tensors in kept.items():
        state = optimizer.state[parameters[number]]
        for key, value in tensors.items():
            state[key] = state[key].to(value.dtype)
