"""Progress: what its lines show, in a terminal and in a notebook."""

import io

import keras
import numpy as np
import pytest
import rich.console
from rich.console import Console

from kerasrecipes.callbacks.progress import Progress
from kerasrecipes.callbacks.standard import standard


def line(progress, epoch, logs):
    progress.set_params({"epochs": 10})
    progress.on_epoch_begin(epoch)
    progress.on_epoch_end(epoch, logs)


def test_the_line_shows_the_rate_and_the_gradient_norm_last():
    progress = Progress(console=Console(file=io.StringIO(), width=200))
    logs = {"accuracy": 0.5, "learning_rate": 1e-4, "gradient_norm": 12345.6, "loss": 2.0}
    line(progress, 0, {**logs, "val_loss": float("nan"), "clipped_fraction": 0.5, "penalty": 0.0})
    found = progress.console.file.getvalue()
    expected = "epoch  1/10  loss 2.0000  accuracy 0.5000  val_loss nan  penalty 0.0000"
    assert found.startswith(f"{expected}  grad 1.23e+04  lr 0.0001  0.0s")


def test_in_a_notebook_the_lines_are_printed_and_not_displayed(monkeypatch, capsys):
    monkeypatch.setattr(rich.console, "_is_jupyter", lambda: True)
    assert Console().is_jupyter, "rich looks elsewhere for notebooks"
    line(Progress(), 2, {"loss": 1.0, "x" * 300: 1.0})
    assert capsys.readouterr().out.count("\n") == 1


CELL = """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
from kerasrecipes.callbacks.progress import Progress
progress = Progress()
class Stopping: best_epoch = 1
progress._stopping = Stopping()
progress.set_params({"epochs": 3})
for epoch in range(3):
    progress.on_epoch_begin(epoch)
    progress.on_epoch_end(epoch, {"loss": 0.5, "gradient_norm": 1.0, "learning_rate": 0.01})
"""


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore")
def test_a_real_notebook_shows_a_line_per_epoch_in_one_block():
    pytest.importorskip("ipykernel")
    client = pytest.importorskip("nbclient").NotebookClient
    from nbformat import v4

    notebook = v4.new_notebook(cells=[v4.new_code_cell(CELL)])
    client(notebook, timeout=120, kernel_name="python3").execute()
    outputs = [each for each in notebook.cells[0].outputs if each.get("name") != "stderr"]
    assert {each.output_type for each in outputs} == {"stream"}
    lines = "".join(each.text for each in outputs).splitlines()
    assert [each.split("  ")[0] for each in lines] == [f"epoch {n}/3" for n in (1, 2, 3)]
    assert "grad 1.0000  lr 0.0100" in lines[0]
    assert ["*" in each for each in lines] == [False, True, False]


def test_metrics_with_a_value_for_each_class_are_left_out():
    progress = Progress(console=Console(file=io.StringIO(), width=200))
    line(progress, 0, {"loss": 2.0, "f1_score": np.ones(3), "skipped_updates": 1})
    assert progress.console.file.getvalue().startswith("epoch  1/10  loss 2.0000  skipped_upd")
    assert "skipped_updates 1  " in progress.console.file.getvalue()


def fit(folder=None, epochs=6, verbose=0, **settings):
    """Trains with a rate of zero; returns what is printed."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    progress = Progress(console=Console(file=io.StringIO(), width=200))
    every = standard(monitor="loss", progress=progress, checkpoint=folder, **settings)
    x = np.ones((4, 2))
    model.fit(x, x[:, :1], epochs=epochs, verbose=verbose, shuffle=False, callbacks=every)
    return progress.console.file.getvalue().splitlines()


def test_it_says_why_training_ended_and_where_it_goes_on(tmp_path):
    assert [each.split("  ")[0] for each in fit(tmp_path, epochs=2)] == ["epoch 1/2", "epoch 2/2"]
    first, *lines, last = fit(tmp_path, patience=3)
    assert first == f"{tmp_path}: goes on after epoch 2"
    assert [each.split("  ")[0] for each in lines] == ["epoch 3/6", "epoch 4/6"]
    assert last == "loss has not improved for 3 epochs; the weights of epoch 1 are back"
    (complete, again) = fit(tmp_path, patience=3)
    assert complete.startswith(f"{tmp_path} has this training complete, with 4 epochs: nothing")
    assert again == last


def test_beside_the_bar_of_keras_there_are_no_lines_for_epochs(capsys):
    assert fit(verbose=1, patience=2) == [
        "loss has not improved for 2 epochs; the weights of epoch 1 are back"
    ]
    assert "Epoch 3/6" in capsys.readouterr().out
