"""Adapters to TensorBoard, Weights & Biases and MLflow: what reaches the library, and when."""

import json
import struct
import sys
import time

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from kerasrecipes.callbacks._logger import Logger
from kerasrecipes.callbacks.mlflow_logger import MLflowLogger
from kerasrecipes.callbacks.tensorboard_logger import TensorBoardLogger
from kerasrecipes.callbacks.wandb_logger import WandbLogger

X = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
Y = (X[:, 0] > 0).astype("int32")
LOGGERS = (TensorBoardLogger, WandbLogger, MLflowLogger)


class Recorder(Logger):
    """Notes what a library would be told."""

    module, extra = "json", "json"

    def __init__(self, **arguments):
        super().__init__(**{"params": None, **arguments})
        self.told = []

    def _open(self):
        self.run_id = self.run_id or "new"
        self.told.append(("open", self.run_id))

    def _log(self, step, values):
        self.told.append((step, values))

    def _log_model(self, path):
        self.told.append(("model", keras.saving.load_model(path).count_params()))

    def _close(self, failed):
        self.told.append(("close", failed))


def recipe_model():
    return kr.recipes.mlp((4,), kr.targets.Binary(), hidden=(3,), seed=0)


def plain_model():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def fit(*callbacks, model=None, **arguments):
    model = model or recipe_model()
    arguments = {
        "validation_data": (X, Y),
        "epochs": 2,
        "verbose": 0,
        "shuffle": False,
        **arguments,
    }
    return model.fit(X, Y, callbacks=list(callbacks), **arguments).history


def test_each_epoch_is_a_step_of_one_run():
    recorder, model = Recorder(), plain_model()
    history = fit(kr.callbacks.LearningRateLog(), recorder, model=model)
    steps = [{name: values[n] for name, values in history.items()} for n in range(2)]
    told = [("open", "new"), (1, steps[0]), (2, steps[1]), ("close", False)]
    assert recorder.told == told
    assert {"loss", "val_loss", "learning_rate"} <= set(steps[0])
    fit(recorder, model=model, epochs=4, initial_epoch=3)
    assert [each[0] for each in recorder.told[4:]] == ["open", 4, "close"]


def test_a_run_that_goes_on_is_the_same_run():
    first = Recorder()
    first.run_id = "older"
    state = first.state_dict()
    again = begun(Recorder())
    again.load_state_dict(state)
    again.on_epoch_end(5, {"loss": 1.0})
    assert again.told == [("open", "older"), (6, {"loss": 1.0})]


def test_with_a_checkpoint_a_restart_logs_the_rest_to_the_same_run(tmp_path):
    class Crash(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                raise RuntimeError("on purpose")

    def callbacks(*more):
        return [*kr.callbacks.standard(checkpoint=tmp_path, progress=False), *more]

    first, again, over = Recorder(), Recorder(), Recorder(log_model=True)
    first._open = lambda: setattr(first, "run_id", "the first")
    with pytest.raises(RuntimeError, match="on purpose"):
        fit(*callbacks(first, Crash()), epochs=4)
    fit(*callbacks(again), epochs=4)
    assert [each[0] for each in again.told] == ["open", 3, 4, "close"]
    assert again.told[0] == ("open", "the first")
    fit(*callbacks(over), epochs=4)
    assert over.told == [], "logged a training that was complete before"


def test_a_fit_that_fails_leaves_a_failed_run_and_one_without_epochs_none():
    class Fail(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise RuntimeError("on purpose")

    recorder, model = Recorder(), recipe_model()
    with pytest.raises(RuntimeError, match="on purpose"):
        fit(recorder, Fail(), model=model)
    assert recorder.told[-1] == ("close", True)
    recorder = Recorder(log_model=True)
    with pytest.raises(RuntimeError, match="on purpose"):
        fit(Fail(), recorder, model=model)
    recorder.on_train_end()
    assert recorder.told == []


def test_the_model_that_is_logged_has_the_best_weights():
    recorder = Recorder(log_model=True)
    model = recipe_model()
    fit(kr.callbacks.EarlyStopping("val_loss"), recorder, model=model)
    assert recorder.told[-2:] == [("model", model.count_params()), ("close", False)]


def test_only_numbers_are_logged():
    recorder = Recorder()
    recorder.on_train_begin()
    recorder.on_epoch_end(0, {"loss": keras.ops.ones(()), "matrix": np.eye(2)})
    assert recorder.told[1:] == [(1, {"loss": 1.0})]


def test_hyperparameters_are_the_recipes_and_the_callers():
    recorder = Recorder(params={"fold": 3, "dropout": "none"})
    fit(recorder)
    found = recorder.hyperparameters()
    expected = {"recipe": "mlp", "hidden": "(3,)", "target": "Binary()", "l2": 0.0}
    assert expected.items() <= found.items()
    assert {"fold": 3, "dropout": "none", "epochs": 2, "learning_rate": "None"}.items() <= (
        found.items()
    )
    assert found["parameters"] == recorder.model.count_params()
    assert all(isinstance(value, (bool, int, float, str)) for value in found.values())
    recorder = Recorder()
    fit(recorder, model=plain_model())
    assert recorder.hyperparameters() == {"optimizer": "SGD", "parameters": 5, "epochs": 2}


@pytest.mark.parametrize("kind", LOGGERS)
def test_a_missing_library_is_named_with_its_extra(kind, monkeypatch):
    monkeypatch.setitem(sys.modules, kind.module, None)
    with pytest.raises(InputError, match=rf"{kind.__name__} needs .*kerasrecipes\[{kind.extra}\]"):
        kind()


def test_bad_input():
    with pytest.raises(InputError, match="`params`"):
        Recorder(params=["fold"])
    with pytest.raises(InputError, match="`log_model`"):
        Recorder(log_model="yes")
    with pytest.raises(InputError, match="`mode`"):
        WandbLogger(mode="of line")
    with pytest.raises(InputError, match="`log_dir`"):
        TensorBoardLogger(3)
    with pytest.raises(InputError, match="`experiment`"):
        MLflowLogger(None)


def scalars(folder):
    """Returns {tag: [(step, value)]} of the event files in a folder."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    events = EventAccumulator(str(folder)).Reload()
    return {
        tag: [(each.step, float(make_ndarray(each.tensor_proto))) for each in events.Tensors(tag)]
        for tag in events.Tags()["tensors"]
    }


def begun(logger):
    """Returns the callback of a fit that has just begun."""
    logger.set_model(recipe_model())
    logger.set_params({"epochs": 9})
    logger.on_train_begin()
    return logger


def close_to(steps, values):
    return [
        (step, pytest.approx(value, rel=1e-6)) for step, value in zip(steps, values, strict=True)
    ]


@pytest.mark.extra
def test_tensorboard(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    before = fit(kr.callbacks.LearningRateLog(), TensorBoardLogger(tmp_path))
    after = fit(
        kr.callbacks.LearningRateLog(), TensorBoardLogger(tmp_path), epochs=3, initial_epoch=2
    )
    steps = [1, 2, 3]
    train, validation = scalars(tmp_path / "train"), scalars(tmp_path / "validation")
    assert train["epoch_loss"] == close_to(steps, before["loss"] + after["loss"])
    assert validation["epoch_loss"] == close_to(steps, before["val_loss"] + after["val_loss"])
    rates = before["learning_rate"] + after["learning_rate"]
    assert train["epoch_learning_rate"] == close_to(steps, rates)
    root = EventAccumulator(str(tmp_path)).Reload()
    begin = root.summary_metadata["_hparams_/session_start_info"].plugin_data
    assert begin.plugin_name == "hparams"
    assert b"mlp" in begin.content


@pytest.mark.extra
def test_tensorboard_names_are_those_of_keras(tmp_path):
    pytest.importorskip("tensorboard")
    fit(keras.callbacks.TensorBoard(tmp_path / "keras"), TensorBoardLogger(tmp_path / "ours"))
    for part in ("train", "validation"):
        theirs, ours = scalars(tmp_path / "keras" / part), scalars(tmp_path / "ours" / part)
        names = {name for name in theirs if name.startswith("epoch_")} - {"epoch_learning_rate"}
        assert names <= set(ours)
        assert [v for _, v in theirs["epoch_loss"]] == [v for _, v in ours["epoch_loss"]]


@pytest.fixture
def mlflow(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return pytest.importorskip("mlflow")


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_mlflow(mlflow, tmp_path):
    logger = MLflowLogger("digits", name="first", params={"fold": 1}, log_model=True)
    history = fit(kr.callbacks.LearningRateLog(), logger)
    assert (tmp_path / "mlflow.db").exists()
    client = mlflow.MlflowClient()
    run = client.get_run(logger.run_id)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "first")
    assert {"recipe": "mlp", "fold": "1", "hidden": "(3,)"}.items() <= run.data.params.items()
    assert set(run.data.metrics) == set(history)
    for name, values in history.items():
        found = [(each.step, each.value) for each in client.get_metric_history(logger.run_id, name)]
        assert found == [(1, values[0]), (2, values[1])]
    assert [each.path for each in client.list_artifacts(logger.run_id)] == ["model.keras"]


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_mlflow_goes_on_with_its_run_and_marks_failures(mlflow):
    logger = begun(MLflowLogger())
    for epoch in range(3):  # the third is cut short
        logger.on_epoch_end(epoch, {"loss": 1.0 / (epoch + 1) + (epoch == 2)})
    state = logger.state_dict()
    logger.close()
    client = mlflow.MlflowClient()
    assert client.get_run(logger.run_id).info.status == "FAILED"
    again = begun(MLflowLogger())
    again.load_state_dict(state)
    for epoch in range(1, 4):
        again.on_epoch_end(epoch, {"loss": 1.0 / (epoch + 1)})
    again.on_train_end()
    assert again.run_id == logger.run_id
    assert client.get_run(logger.run_id).info.status == "FINISHED"
    found = {each.step: each.value for each in client.get_metric_history(logger.run_id, "loss")}
    assert found == {step: 1.0 / step for step in range(1, 5)}
    assert len(client.get_metric_history(logger.run_id, "loss")) == 5


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_mlflow_that_cannot_be_reached_is_refused_before_training(mlflow, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="tracking_uri='sqlite:.*cannot be reached"):
        fit(MLflowLogger(tracking_uri=f"sqlite:///{tmp_path}/file/mlflow.db"))


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_mlflow_uses_the_run_of_the_program(mlflow):
    with mlflow.start_run() as run:
        logger = MLflowLogger()
        fit(logger)
        assert logger.run_id == run.info.run_id
        assert mlflow.MlflowClient().get_run(logger.run_id).info.status == "RUNNING"


@pytest.fixture
def wandb(tmp_path, monkeypatch):
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.chdir(tmp_path)
    library = pytest.importorskip("wandb")
    yield library
    library.teardown()


def records(data):
    """Yields the records of a file in LevelDB's log format, after W&B's header of 7 bytes."""
    place, record = 7, b""
    while place + 7 <= len(data):
        if 32768 - place % 32768 < 7:  # too little of the block is left for a header
            place += 32768 - place % 32768
            continue
        _, length, kind = struct.unpack_from("<IHB", data, place)
        record += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield record
            record = b""


def offline_rows(folder):
    """Returns (id, config, rows of the history) of an offline run, read from its file."""
    from wandb.proto import wandb_internal_pb2

    found, config, rows = None, {}, []
    (file,) = folder.glob("run-*.wandb")
    for data in records(file.read_bytes()):
        record = wandb_internal_pb2.Record.FromString(data)
        kind = record.WhichOneof("record_type")
        if kind == "run":
            found = record.run.run_id
        if kind in ("run", "config"):
            entries = record.run.config.update if kind == "run" else record.config.update
            config.update({each.key: json.loads(each.value_json) for each in entries})
        elif kind == "history":
            items = record.history.item
            rows.append({".".join(i.nested_key) or i.key: json.loads(i.value_json) for i in items})
    return found, config, rows


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_wandb_is_offline_unless_asked_and_goes_on(wandb, tmp_path):
    logger = WandbLogger("digits", directory=tmp_path, params={"fold": 1})
    history = fit(kr.callbacks.LearningRateLog(), logger)
    time.sleep(1.1)  # the library names folders by the second
    again = begun(WandbLogger("digits", directory=tmp_path))
    again.load_state_dict(logger.state_dict())
    again.on_epoch_end(1, {"loss": 0.5})
    again.on_train_end()
    first, second = sorted((tmp_path / "wandb").glob("offline-run-*"))
    found, config, rows = offline_rows(first)
    assert found == logger.run_id
    assert {"recipe": "mlp", "fold": 1}.items() <= config.items()
    assert [row["epoch"] for row in rows] == [1, 2]
    assert {name: [row[name] for row in rows] for name in history} == history
    found, _, rows = offline_rows(second)
    assert (found, rows[0]["epoch"], rows[0]["loss"]) == (logger.run_id, 2, 0.5)


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_wandb_uses_the_run_of_the_program(wandb, tmp_path):
    run = wandb.init(mode="offline", dir=tmp_path, project="own")
    logger = WandbLogger(log_model=True)
    fit(logger)
    assert logger.run_id == run.id
    assert wandb.run is run, "closed a run that is not its own"
    run.finish()
