"""Kill -9 at random moments."""

import multiprocessing
import os
import signal
import time

import numpy as np


def kill_at_random(target, folders, kills, seed, preload, pause, finished):
    """Run `target(folder)` in processes that are killed, over as many folders as that takes.

    A folder is started again until a run in it ends; then `finished(folder)` is called, and the
    next one begins. `pause(process, folder, generator, number)` waits for the process, until it
    ends or is to be killed; `number` counts the folders that are finished. Returns the folder that
    was begun last.
    """
    context = multiprocessing.get_context("forkserver")  # whose children begin without threads
    context.set_forkserver_preload(preload)
    generator, killed, number = np.random.default_rng(seed), 0, 0
    while killed < kills:
        folder = folders / str(number)
        process = context.Process(target=target, args=(folder,))
        process.start()
        pause(process, folder, generator, number)
        if process.exitcode is None:
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            killed += 1
        else:
            assert process.exitcode == 0
            finished(folder)
            number += 1
    return folders / str(number)


class Share:
    """Pauses for a random share, from `least` to 1, of the time that a whole run takes."""

    def __init__(self, least):
        self.least, self.usual = least, np.inf

    def __call__(self, process, folder, generator, number):
        began = time.monotonic()
        # the first two set up the server and say how long one takes
        process.join(generator.uniform(self.least, 1.0) * self.usual if number > 1 else None)
        if process.exitcode is not None:
            self.usual = min(self.usual, time.monotonic() - began)
