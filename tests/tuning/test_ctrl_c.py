import signal
import sys
import threading

import pytest

from kerasrecipes.tuning._ctrl_c import CtrlC


class Interrupted:
    """Gets a Ctrl-C while it is destroyed, where Python drops what is raised."""

    def __del__(self):
        signal.raise_signal(signal.SIGINT)


def test_what_a_destructor_drops_is_raised_later(monkeypatch):
    dropped = []
    monkeypatch.setattr(sys, "unraisablehook", lambda each: dropped.append(each.exc_type))
    with CtrlC() as ctrl_c:
        ctrl_c.check()
        thing = Interrupted()
        del thing
        assert dropped == [KeyboardInterrupt]
        with pytest.raises(KeyboardInterrupt):
            ctrl_c.check()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_elsewhere_it_is_raised_at_once():
    with CtrlC(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_the_handlers_of_others_stay():
    heard = []
    previous = signal.signal(signal.SIGINT, lambda *_: heard.append(1))
    try:
        with CtrlC() as ctrl_c:
            signal.raise_signal(signal.SIGINT)
            ctrl_c.check()
    finally:
        signal.signal(signal.SIGINT, previous)
    assert heard == [1]


def test_another_thread_changes_nothing():
    handlers = []

    def search():
        with CtrlC():
            handlers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=search)
    thread.start()
    thread.join()
    assert handlers == [signal.default_int_handler]
