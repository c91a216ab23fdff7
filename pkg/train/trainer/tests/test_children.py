"""A part of the work in a process of its own: its events, how it ends, and that it ends when it is told to."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from conftest import Heard

from summarizer_trainer import children, machine
from summarizer_trainer.errors import DivergedError, InterruptedRunError, OutOfMemoryError, TrainerError


def run(program: str, heard: Heard) -> None:
    children.run([sys.executable, "-c", program], "the work", heard.events, stop_seconds=1.0)


def test_events_are_told_and_lines_of_the_log_passed_on(heard: Heard, capfd: pytest.CaptureFixture[str]) -> None:
    run('print("a line"); print(\'{"event":"eval","time":"earlier","step":3,"loss":1.5}\'); print("[1]")', heard)
    (event,) = heard.of("eval")
    assert (event["step"], event["loss"]) == (3, 1.5)
    assert "a line\n" in capfd.readouterr().out


def test_its_error_is_raised_and_not_told(heard: Heard) -> None:
    said = '{"event":"error","kind":"diverged","message":"the loss","next":"lower it"}'
    with pytest.raises(DivergedError, match="the loss") as error:
        run(f"import sys; print('{said}'); sys.exit(6)", heard)
    assert error.value.next == "lower it"
    assert not heard.all


def test_what_the_kernel_kills_ran_out_of_memory(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "memory_limit_gib", lambda: 4.0)
    with pytest.raises(OutOfMemoryError, match=r"ran out of memory in the work, it may take 4\.0 GiB"):
        run("import os; os.kill(os.getpid(), 9)", heard)


def test_another_end_is_a_failure(heard: Heard) -> None:
    with pytest.raises(TrainerError, match="exit code 7") as error:
        run("import sys; sys.exit(7)", heard)
    assert error.value.exit_code == 1


STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)
ORDERLY = """
import signal, sys, time
def stop(*_):
    print('{"event":"interrupted","step":7,"message":"after a checkpoint"}')
    sys.exit(75)
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
time.sleep(60)
"""
PARENT = """
import signal, sys
from summarizer_trainer import children
from summarizer_trainer.errors import InterruptedRunError
from summarizer_trainer.events import Events
def stop(*_):
    raise InterruptedRunError("stopped by SIGTERM")
signal.signal(signal.SIGTERM, stop)
try:
    children.run([sys.executable, "-c", sys.argv[1]], "the work", Events(), stop_seconds=2.0)
except InterruptedRunError as error:
    print(error, error.step)
    sys.exit(75)
"""


@pytest.mark.parametrize(
    ("program", "least", "said"), [(STUBBORN, 2.0, "stopped by SIGTERM 0"), (ORDERLY, 0.0, "after a checkpoint 7")]
)
def test_a_signal_is_passed_on_and_the_end_awaited_for_a_while(
    program: str, least: float, said: str, tmp_path: pathlib.Path
) -> None:
    command = [sys.executable, "-c", PARENT, program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as parent:
        assert parent.stdout is not None and parent.stdout.readline() == "ready\n"
        parent.send_signal(signal.SIGTERM)
        start = time.monotonic()
        rest = parent.stdout.read()
        assert parent.wait() == InterruptedRunError.exit_code
    assert least <= time.monotonic() - start < least + 5
    assert rest.splitlines()[-1] == said
