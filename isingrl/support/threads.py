"""Threads for independent calls of kernels, which release the interpreter lock."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from isingrl.support.compilation import watch

watch()


class _Pools(threading.local):
    """Pools of each caller, by size.

    They stay, because to start threads takes longer than a short call. Callers in different threads
    share none, because calls may wait for each other.
    """

    def __init__(self) -> None:
        self.by_size: dict[int, ThreadPoolExecutor] = {}


_pools = _Pools()

if hasattr(os, "register_at_fork"):  # a child has none of the threads
    os.register_at_fork(after_in_child=lambda: _pools.by_size.clear())


def run_in_threads(
    function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]], threads: int
) -> None:
    """Call `function` with each of `arguments` in up to `threads` threads; wait for all calls."""
    if threads == 1 or len(arguments) == 1:
        for each in arguments:
            function(*each)
        return
    pools = _pools.by_size
    if threads not in pools:
        pools[threads] = ThreadPoolExecutor(threads)
    calls = [pools[threads].submit(function, *each) for each in arguments]
    try:
        for call in calls:
            call.result()
    finally:
        wait(calls)
