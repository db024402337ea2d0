"""What a study leaves, and whether two of them left the same."""

import numpy as np
import pytest
import xarray as xr

from studies.command.main import main
from studies.running.files import open_dataset
from studies.running.runner import run_to_folder

_ABOUT = ("provenance", "versions")


def ends(capsys, words, code=2):
    """What a command that ends with this exit code, or one of these, said."""
    with pytest.raises(SystemExit) as stop:
        main(words)
    said = capsys.readouterr()
    assert stop.value.code in (code if isinstance(code, tuple) else (code,)), said
    return said


def outcome(out):
    """All that a study leaves, but for when, where and by which version it was made."""
    found = {
        "figure": (out / "figure.png").read_bytes(),
        "config": (out / "config.json").read_text(),
    }
    for name in ("data", "summary"):
        with open_dataset(out / f"{name}.nc") as data:
            found[name] = data.load().drop_attrs(deep=False)
            attrs = {key: value for key, value in data.attrs.items() if key not in _ABOUT}
            found[f"{name} attrs"] = {
                key: np.asarray(value).tolist() for key, value in attrs.items()
            }
    return found


def summary_of(study, name, folder):
    """Summary of a study, read from its files, which are all there."""
    run_to_folder(study, name, folder)
    assert (folder / "figure.png").stat().st_size > 10_000
    with open_dataset(folder / "summary.nc") as summary:
        return summary.load()


def assert_same(one, other):
    """Assert that two outcomes are equal bit for bit."""
    assert one.keys() == other.keys()
    for name, value in one.items():
        if isinstance(value, xr.Dataset):
            xr.testing.assert_identical(value, other[name])
            for key, variable in value.variables.items():
                if variable.dtype.kind in "biuf":
                    assert variable.values.tobytes() == other[name][key].values.tobytes(), key
        else:
            assert value == other[name], name
