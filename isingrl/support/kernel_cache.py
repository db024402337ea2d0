"""The cache of compiled kernels: beside their files, or in a folder of this user."""

from __future__ import annotations

import hashlib
import inspect
import os
import pickle
import stat
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from numba import config
from numba.core import dispatcher
from numba.core.caching import FunctionCache, IndexDataCacheFile, NullCache

PACKAGES = ("isingrl", "analysis")
"""Packages with kernels in this cache; Numba caches functions of other packages by itself."""
problems: list[str] = []
"""Reasons why kernels are not cached; empty if they are."""
_DIGEST = hashlib.sha256().digest_size


class _CacheFile(IndexDataCacheFile):  # type: ignore[misc]
    """Files that end with a digest, because damaged machine code may run and give wrong numbers."""

    def _dump(self, obj: Any) -> bytes:
        content: bytes = super()._dump(obj)
        return content + hashlib.sha256(content).digest()  # pickle ignores what follows

    def _load_data(self, name: str) -> Any:
        with open(self._data_path(name), "rb") as file:  # noqa: PTH123
            content = file.read()
        kept, digest = content[:-_DIGEST], content[-_DIGEST:]
        if hashlib.sha256(kept).digest() != digest:
            raise ValueError(f"{name} is damaged")
        return pickle.loads(kept)

    def set_aside(self) -> None:
        """Rename the index, so that all kernels are compiled and written again."""
        with suppress(OSError):
            os.replace(self._index_path, f"{self._index_path}.damaged")  # noqa: PTH105


class _KernelCache(FunctionCache):  # type: ignore[misc]
    """A cache that never stops a call: a kernel that it cannot read or write is compiled again."""

    def __init__(self, py_func: Any) -> None:
        super().__init__(py_func)
        stamp = (
            self._impl.locator.get_source_stamp(),
            _stamps(Path(inspect.getfile(py_func)).parent),
        )
        self._cache_file = _CacheFile(self._cache_path, self._impl.filename_base, stamp)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except MemoryError:
            raise
        except Exception:
            self._cache_file.set_aside()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except MemoryError:
            raise
        except Exception as error:
            problems.append(f"{self._cache_path} cannot be written to ({error})")


@lru_cache
def _stamps(folder: Path) -> list[tuple[str, int, int]]:
    """Names, times and sizes of all files of a folder, because kernels contain one another."""
    found = [(each.name, each.stat()) for each in sorted(folder.glob("*.py"))]
    return [(name, stat.st_mtime_ns, stat.st_size) for name, stat in found]


def install() -> None:
    """Use `kernel_cache` for kernels that are defined from now on."""
    vars(dispatcher)["FunctionCache"] = kernel_cache


def kernel_cache(py_func: Any) -> Any:
    """Cache of a function, for Numba's dispatcher."""
    if py_func.__module__.partition(".")[0] not in PACKAGES:
        return FunctionCache(py_func)
    try:
        return _KernelCache(py_func)
    except RuntimeError:  # neither the folder of the file nor the user's can be written to
        pass
    former = config.CACHE_DIR
    try:
        config.CACHE_DIR = _own_folder()
        return _KernelCache(py_func)
    except (OSError, RuntimeError) as error:
        problems.append(f"no folder for them can be written to ({error})")
        return NullCache()
    finally:
        config.CACHE_DIR = former


def folder() -> str | None:
    """Folder with the cached kernels of this package; None if they are not cached."""
    path: str | None = kernel_cache(install).cache_path
    return path


def _own_folder() -> str:
    """Folder that no other user can write to, because its files are run."""
    user = os.getuid() if hasattr(os, "getuid") else os.getlogin()
    path = os.path.join(tempfile.gettempdir(), f"isingrl-kernels-{user}")  # noqa: PTH118
    os.makedirs(path, mode=0o700, exist_ok=True)  # noqa: PTH103
    found = os.lstat(path)
    own = not hasattr(os, "getuid") or found.st_uid == user
    if not stat.S_ISDIR(found.st_mode) or not own or stat.S_IMODE(found.st_mode) & 0o022:
        raise OSError(f"{path} belongs to somebody else, or others may write to it")
    return path
