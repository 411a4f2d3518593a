"""Progress on a terminal of 80 columns, in a notebook, and where there is neither."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from helpers.training.training_runs import DATA, make
from isingprop.util.progress import Progress


def shown_on_a_terminal(command):
    """What a command writes on a terminal of 80 columns, line by line as they are drawn."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-c", command])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    parts = []
    while True:
        try:
            parts.append(os.read(terminal, 1 << 16))
        except OSError:  # the child has ended
            break
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    text = b"".join(parts).decode()
    assert status == 0, text
    return [line for line in re.split(r"[\r\n]+", text) if line.strip()]


@pytest.mark.slow
def test_the_bar_of_a_training_is_wide_enough_at_80_columns():
    """It was one character wide beside 79 of numbers."""
    command = (
        "import time, isingprop as ip\n"
        "time.sleep(0.3)  # until the terminal has its size\n"
        "images = ip.load_data('digits', num_train=300, num_test=50)\n"
        "net = ip.BipartiteNetwork.random(num_inputs=64, num_hidden=120, num_classes=10)\n"
        "ip.Trainer(net, ip.Annealing(20), num_states=3).fit(images, 12, progress=True)\n"
    )
    last = shown_on_a_terminal(command)[-1]
    pattern = r"epoch 12/12 100%\|(█{15,})\| 00:00 left, error \d+\.\d\d%, reads \d+\.\d\d%"
    assert re.fullmatch(pattern, last.strip()), last
    assert len(last) <= 80


@pytest.mark.parametrize(
    ("epochs", "shown"),
    [(1, [1]), (4, [1, 2, 3, 4]), (10, list(range(1, 11))), (20, list(range(2, 21, 2)))],
)
def test_without_a_terminal_there_is_a_line_for_each_epoch_or_tenth(capsys, epochs, shown):
    trainer = make(num_states=1)
    trainer.fit(DATA, epochs, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    pattern = (
        rf"epoch (\d+)/{epochs}: training error \d+\.\d\d%, test accuracy \d+\.\d%, "
        r"\d\d:\d\d, \d\d:\d\d left"
    )
    assert [int(re.fullmatch(pattern, line)[1]) for line in err.splitlines()] == shown


def test_a_run_that_goes_on_counts_tenths_of_what_is_left(capsys):
    trainer = make(num_states=1)
    trainer.fit(DATA, 5)
    trainer.fit(DATA, 3, progress=True)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["epoch 6/8", "epoch 7/8", "epoch 8/8"]


@pytest.mark.parametrize("options", [{"total": 0}, {"total": 5, "done": 5}])
def test_work_of_unknown_or_no_size_has_no_lines(capsys, options):
    with Progress(**options) as progress:
        progress.advance(1)
        progress.line("step")
    assert capsys.readouterr() == ("", "")


# A notebook's kernel without ipywidgets, as tqdm finds it: IPython's shell has a kernel app.
KERNEL = """
import sys, types
shell = types.SimpleNamespace(config={"IPKernelApp": {}})
sys.modules["IPython"] = types.SimpleNamespace(get_ipython=lambda: shell)
sys.modules["ipywidgets"] = None
"""


@pytest.mark.slow
def test_a_notebook_without_widgets_gets_lines_and_no_warning():
    command = KERNEL + (
        "from isingprop.util.progress import Progress\n"
        "with Progress(2) as progress:\n"
        "    for k in (1, 2):\n"
        "        progress.advance(1)\n"
        "        progress.line(f'step {k}')\n"
    )
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert [line.split(",")[0] for line in lines] == ["step 1", "step 2"]
