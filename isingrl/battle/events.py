"""Event files of a training, for TensorBoard."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from isingrl.support.archives import make_folder
from isingrl.support.validation import require

if TYPE_CHECKING:
    from isingrl.battle.team_training import Training

    Log = Callable[[Training], None]


@contextmanager
def event_log(folder: str | os.PathLike[str] | None) -> Iterator[Log]:
    """Yield a function that writes what is new in a history; without a folder it does nothing.

    Names are those of the history, and the opponent: ``reward/self``, ``evaluation_win/pursuit``.
    The step is the number of games played. A training that goes on writes all of its history again
    and hides what was there, so that nothing is lost that was not on the disk at a kill.
    """
    if folder is None:
        yield lambda training: None
        return
    make_folder(Path(folder), "tensorboard")
    require("tensorboard", "event files need", "tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    written = {"round": 0, "evaluation": 0}

    def log(training: Training) -> None:
        history = training.history()
        for dim, played, opponent in (
            ("round", "games", "opponent"),
            ("evaluation", "evaluation_games", "evaluation_opponent"),
        ):
            new = history.isel({dim: slice(written[dim], None)}, missing_dims="ignore")
            written[dim] = history.sizes.get(dim, 0)
            for name, values in new.data_vars.items():
                if dim not in values.dims:
                    continue
                for index in range(values.sizes[dim]):
                    at = values.isel({dim: index})
                    step = int(at[played])
                    for each in at if at.ndim else [at]:
                        tag = f"{name}/{each[opponent].item()}"
                        writer.add_scalar(tag, float(each), step)

    with SummaryWriter(str(folder), purge_step=0) as writer:
        yield log
