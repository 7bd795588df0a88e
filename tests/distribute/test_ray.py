"""The recipe of docs/scale.md on two workers of Ray Train, as it stands there."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest

from tests.forked import ROOT

CHECK = """
    import keras
    import kerasrecipes
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    model = keras.saving.load_model(result.checkpoint.path + "/model.keras")
    scores = model.evaluate(x, y, return_dict=True, verbose=0)
    assert scores["accuracy"] > 0.9, scores
    assert 0 < result.metrics["val_loss"] < 1.0, result.metrics
    print("CHECKED")
"""


def _environment(home):
    others = ("TF_CONFIG", "SLURM", "JOB_COMPLETION", "RAY_", "KERAS_BACKEND")
    env = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "TF_CPP_MIN_LOG_LEVEL": "3"}
    return {**env, **quiet, "HOME": str(home), "PYTHONPATH": str(ROOT)}


def _session(leader):
    """Returns the processes of a session; Ray's are in groups of their own."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            *_, session = stat.read_text().rpartition(")")[2].split()[:4]
            if int(session) == leader:
                found.append(int(stat.parent.name))
    return found


@pytest.mark.extra
@pytest.mark.multi_device
def test_the_recipe_of_the_page_runs_on_two_workers_of_ray(tmp_path):
    pytest.importorskip("ray.train")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/scale.md").read_text(), re.DOTALL)
    (code,) = (block for block in blocks if "TensorflowTrainer" in block)
    script = tmp_path / "ray_train.py"
    script.write_text(code.replace("ray.init()", "ray.init(num_cpus=2)") + CHECK)
    process = subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=tmp_path,
        env=_environment(tmp_path),
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=180)
    finally:
        for child in _session(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        process.wait()
    assert process.returncode == 0, output[-4000:]
    assert "CHECKED" in output
