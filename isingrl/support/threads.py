"""Threads for independent calls of kernels, which release the interpreter lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from isingrl.support.compilation import watch

watch()


def run_in_threads(
    function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]], threads: int
) -> None:
    """Call `function` with each of `arguments` in up to `threads` threads; wait for all calls."""
    if threads == 1 or len(arguments) == 1:
        for each in arguments:
            function(*each)
        return
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(function, *each) for each in arguments]:
            done.result()
