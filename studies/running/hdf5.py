"""Files for HDF5 to write to, on disks that may be full, while signals may come.

HDF5 does not get over a write that failed, or that an exception of a signal went through: it cannot
close the file any more, and crashes when it opens the next one, or at the end
(https://github.com/h5py/h5py/issues/914).
"""

from __future__ import annotations

import io
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from studies.running.endings import WaitingSignals


class HDF5Target(io.FileIO):
    """A new file. HDF5 does not learn of writes that failed, which are told when it is closed.

    What the disk does not take stays in memory, so that HDF5 finds it again. The buffer stays
    small: dask starts no further block of data. A first Ctrl-C waits until a block is written.

    Parameters
    ----------
    path : path

    Raises
    ------
    OSError
        When it is closed, if it could not be written.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "w+")
        self._error: OSError | None = None
        self._lost: list[tuple[int, bytes]] = []
        self._signals = WaitingSignals()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        from dask.callbacks import Callback

        self._stack.enter_context(self._signals)
        self._stack.enter_context(Callback(pretask=self._check))
        return super().__enter__()

    def __exit__(self, *about: Any) -> None:
        super().__exit__(*about)
        self._stack.close()
        self._check()

    def write(self, content: Any, /) -> int:
        """Write all of it, to the disk or else to memory."""
        left, start = memoryview(content).cast("B"), self.tell()
        size = len(left)
        try:
            while left and self._error is None:
                left = left[super().write(left) :]
        except OSError as error:
            self._error = error
        if left:
            self._lost.append((start + size - len(left), bytes(left)))
            self.seek(start + size)
        return size

    def readinto(self, buffer: Any, /) -> int:
        """Read what was written, wherever it went."""
        start, view = self.tell(), memoryview(buffer).cast("B")
        size = super().readinto(view)
        for at, content in self._lost:
            first, last = max(at, start), min(at + len(content), start + len(view))
            if first < last:
                view[first - start : last - start] = content[first - at : last - at]
                size = max(size, last - start)
        self.seek(start + size)
        return size

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Change the position; the end is that of all that was written."""
        found = super().seek(offset, whence)
        if whence == os.SEEK_END and self._lost:
            ends = [at + len(content) for at, content in self._lost]
            found = super().seek(max(found, offset + max(ends)))
        return found

    def truncate(self, size: int | None = None, /) -> int:
        """Change the size, unless it is given up."""
        try:
            if self._error is None:
                return super().truncate(size)
        except OSError as error:
            self._error = error
        return self.tell() if size is None else size

    def _check(self, *_: Any) -> None:
        if self._error is not None:
            raise self._error
        self._signals.let_through()
