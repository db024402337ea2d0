"""Devices of torch and Numba; threads and optimizers of torch, an optional package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from isingrl.support.archives import Arrays
from isingrl.support.validation import check_choice, require


def require_torch(extra: str) -> None:
    """Import torch; the error names the extra that installs it."""
    require("torch", "networks need", extra)


def check_device(device: Any) -> str:
    """Return the name of a device of torch, if this machine has it."""
    if not isinstance(device, str) or not (device == "cpu" or device.startswith("cuda")):
        raise ValueError(f"device must be 'cpu' or 'cuda'; got {device!r}")
    if device == "cpu":
        return device
    import torch

    if not torch.cuda.is_available():
        raise ValueError(f"device must be 'cpu', as torch finds no GPU here; got {device!r}")
    return device


def check_gpu(device: Any) -> str:
    """Return "cpu", or "cuda" if Numba finds a GPU here."""
    if check_choice("device", device, ("cpu", "cuda")) == "cuda":
        from numba import cuda

        if not cuda.is_available():
            raise ValueError(
                "device must be 'cpu', as Numba finds no GPU or no driver here; got 'cuda' "
                "(isingrl[gpu] installs what it needs beside the driver)"
            )
    return str(device)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread, so that sums keep their order; small networks need no more."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def optimizer_state(optimizer: Any) -> Arrays:
    """Copy what an optimizer of torch keeps for every parameter, by number and name."""
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
    parameters = [each for group in optimizer.param_groups for each in group["params"]]
    for number, tensors in kept.items():
        parameter = parameters[number]
        state = optimizer.state[parameter]
        for key, value in tensors.items():
            # torch casts them to the type of the parameter, which changes the next steps of NAdam
            state[key] = state[key].to(value.dtype)
            if value.shape == parameter.shape:  # fused steps read all tensors in order of memory
                like = torch.empty_like(parameter, dtype=value.dtype, requires_grad=False)
                state[key] = like.copy_(state[key])
