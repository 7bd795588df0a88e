"""A training in TensorBoard, Weights & Biases and MLflow, without network, and read back by each.

Needs `pip install 'kerasrecipes[loggers]'`. Each logger gets the metrics of every epoch, the rate,
and the arguments of the recipe.
"""

import os
import pathlib
import subprocess
import tempfile

import mlflow
from sklearn.datasets import load_digits
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

import kerasrecipes as kr

# The libraries write where the program runs, if they are not told otherwise.
os.chdir(tempfile.mkdtemp())
os.environ.update(WANDB_SILENT="true", WANDB_DISABLE_GIT="true")

# The loggers come last, so that they see what the other callbacks have put into the logs.
tensorboard = kr.callbacks.TensorBoardLogger("tensorboard")
wandb = kr.callbacks.WandbLogger("digits", mode="offline")
tracked = kr.callbacks.MLflowLogger("digits", log_model=True)
x, y = load_digits(return_X_y=True)
rows = kr.data.split(x, y, validation=0.2, test=0.2, seed=0)
model = kr.recipes.mlp(
    (64,),
    kr.targets.Multiclass(10),
    hidden=(64,),
    schedule="cosine",
    preprocessing=kr.data.normalization(rows.train.x),
    seed=0,
)
history = model.fit(
    kr.data.batches(*rows.train, batch_size=64, seed=0),
    validation_data=rows.validation,
    epochs=8,
    verbose=0,
    callbacks=[kr.callbacks.LearningRateLog(), tensorboard, wandb, tracked],
).history

# TensorBoard: `tensorboard --logdir FOLDER` shows it. The curves of training and validation lie in
# subfolders, as those of Keras's own callback do.
events = EventAccumulator("tensorboard/validation").Reload()
curve = [float(make_ndarray(each.tensor_proto)) for each in events.Tensors("epoch_loss")]
print("TensorBoard", events.Tags()["tensors"], [round(value, 3) for value in curve])

# MLflow: `mlflow ui` shows it. The run has the arguments of the recipe and the model.
client = mlflow.MlflowClient("sqlite:///mlflow.db")
run = client.get_run(tracked.run_id)
kept = [each.value for each in client.get_metric_history(tracked.run_id, "val_loss")]
print("MLflow", run.info.status, run.data.params["schedule"], [round(value, 3) for value in kept])
print("MLflow", [each.path for each in client.list_artifacts(tracked.run_id)])

# Weights & Biases: `wandb sync FOLDER` uploads it, and its own program reads it where it lies.
(file,) = pathlib.Path("wandb").glob("offline-run-*/*.wandb")
read = ["wandb", "leet", "inspect", "--summary", str(file)]
print("W&B", subprocess.run(read, check=True, capture_output=True, text=True).stdout)

assert curve == kept == history["val_loss"], "each library has the History"
