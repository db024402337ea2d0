"""Threads that stay: reused, apart for callers, new after a fork."""

import os
import threading

import pytest

from isingrl.support.threads import run_in_threads


def names():
    """Names of the threads that two calls run in; each call waits for the other."""
    found, both = [], threading.Barrier(2)

    def work(number):
        both.wait(timeout=60)
        found.append((number, threading.current_thread().name))

    run_in_threads(work, [(0,), (1,)], 2)
    return {name for _, name in sorted(found)}


def test_threads_are_used_again():
    assert names() == names()
    assert len(names()) == 2


def test_callers_share_no_threads():
    found = []
    callers = [threading.Thread(target=lambda: found.append(names())) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(set.union(*found)) == 6


def test_an_error_comes_after_all_calls():
    done = []

    def work(number):
        if number == 0:
            raise ArithmeticError("0")
        done.append(number)

    with pytest.raises(ArithmeticError):
        run_in_threads(work, [(number,) for number in range(20)], 2)
    assert sorted(done) == list(range(1, 20))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own():
    names()
    child = os.fork()
    if child == 0:
        os._exit(len(names()))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
