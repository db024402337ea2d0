"""Progress: bars in terminals and notebooks, plain lines everywhere else."""

from __future__ import annotations

import math
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

from tqdm import TqdmWarning

with warnings.catch_warnings():
    # tqdm warns in notebooks without ipywidgets; they get plain lines
    warnings.simplefilter("ignore", TqdmWarning)
    from tqdm.auto import tqdm as _tqdm

WIDGETS = any(kind.__module__ == "tqdm.notebook" for kind in _tqdm.__mro__)
"""Whether bars are widgets of a notebook."""
_LINES = 30.0  # seconds between two lines


class tqdm(_tqdm):  # type: ignore[misc]  # noqa: N801
    """A bar of tqdm; without a terminal, a line every half minute and one at the end.

    A file would keep every state of the bar: kilobytes on one line. `plain` chooses lines; if
    omitted, they are written only without a terminal and a notebook.
    """

    def __init__(self, *arguments: Any, plain: bool | None = None, **options: Any) -> None:
        shown = not options.get("disable")
        if plain is None:
            plain = not (WIDGETS or (options.get("file") or sys.stderr).isatty())
        self._plain = plain and shown
        self._told, self._told_n = time.monotonic(), -1
        if self._plain:
            options["delay"] = math.inf  # the bar is never drawn
        super().__init__(*arguments, **options)

    def __iter__(self) -> Iterator[Any]:
        if not self._plain:
            yield from super().__iter__()
            return
        with self:
            for each in self.iterable:
                yield each
                self.update()

    def update(self, n: float | None = 1) -> bool | None:
        """Count on."""
        if not self._plain or self.disable:
            shown: bool | None = super().update(n)
            return shown
        self.n += n
        if time.monotonic() - self._told >= _LINES:
            self._tell()
        return None

    def close(self) -> None:
        """Write the last line, unless this bar is within another one."""
        if self._plain and not self.disable and self.pos == 0 and self.n != self._told_n:
            self._tell()
        super().close()

    def display(self, *arguments: Any, **options: Any) -> Any:
        """Draw the bar."""
        return None if self._plain else super().display(*arguments, **options)

    def clear(self, *arguments: Any, **options: Any) -> None:
        """Remove the bar for a moment."""
        if not self._plain:
            super().clear(*arguments, **options)

    def _tell(self) -> None:
        self._told, self._told_n = time.monotonic(), self.n
        of = "" if self.total is None else f" of {self.total:,}"
        line = f"{self.n:,}{of} {self.unit}s"
        made, seconds = self.n - self.initial, time.time() - self.start_t
        if self.total is not None and made > 0 and self.n < self.total:
            left = (self.total - self.n) * seconds / made
            line += f", about {self.format_interval(left)} left"
        line = ": ".join(filter(None, [self.desc.rstrip(": "), line, self.postfix]))
        print(line, file=self.fp, flush=True)
