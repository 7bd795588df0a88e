"""Checkpoint: what it writes, when it goes on, and what it refuses."""

import functools
import hashlib
import json
import pathlib
import resource
import shutil
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from kerasrecipes.callbacks import Checkpoint
from kerasrecipes.callbacks._generations import Generations
from tests.harness import representative

RNG = np.random.default_rng(0)
X = RNG.normal(size=(72, 4)).astype("float32")
Y = (X[:, 0] + 0.5 * RNG.normal(size=72) > 0).astype("int32")
STEPS, EPOCHS = 6, 4


class Killed(BaseException):
    """What stands for a kill: nothing catches it."""


class KillAt(keras.callbacks.Callback):
    """Raises at the beginning of a step, counted from the first of the fit."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_begin(self, logs=None):
        self.count = 0

    def on_train_batch_begin(self, batch, logs=None):
        if self.count == self.step:
            raise Killed
        self.count += 1


def make(**changes):
    """A model with dropout, accumulation, a schedule, clipping by history and a penalty."""
    keras.utils.set_random_seed(5)
    settings = {"hidden": (6,), "dropout": 0.3, "l2": 1e-3, "clip_norm": "auto", "seed": 1}
    optimizer = {"name": "adamw", "gradient_accumulation_steps": 4, "track_updates": True}
    # Batch by batch, as a fit that is killed at one is; in a graph, results are rounded otherwise.
    settings.update(optimizer=optimizer, learning_rate=0.05, fast=False)
    return kr.recipes.mlp((4,), kr.targets.Binary(), **{**settings, **changes})


def train(folder, *extra, model=None, checkpoint=None, seed=3, x=X, epochs=EPOCHS, **settings):
    """The program that is started again and again; returns all that it ends with."""
    model = make() if model is None else model
    checkpoint = checkpoint or Checkpoint(folder, **settings)
    callbacks = kr.callbacks.standard(checkpoint=checkpoint, patience=3, progress=False)
    fitted = model.fit(
        kr.data.batches(x[:48], Y[:48], batch_size=8, seed=seed),
        validation_data=(x[48:], Y[48:]),
        epochs=epochs,
        verbose=0,
        callbacks=[*callbacks, *extra],
    )
    stopping = next(c for c in callbacks if isinstance(c, kr.callbacks.EarlyStopping))
    end = {"history": fitted.history, "epoch": fitted.epoch, "best": stopping.best_epoch}
    return checkpoint, {**end, "weights": [w.tobytes() for w in model.get_weights()]}


def generations(folder):
    return sorted(path.name for path in pathlib.Path(folder).glob("generation-*"))


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    """The run that nothing interrupts: its folder, and all that it ends with."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, train(folder)[1]


@pytest.fixture
def whole(complete):
    """All that the run that nothing interrupts ends with."""
    return complete[1]


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """The folder of a run that was killed after three epochs; to be copied."""
    folder = tmp_path_factory.mktemp("killed")
    with pytest.raises(Killed):
        train(folder, KillAt(20))
    return folder


@pytest.fixture(scope="module")
def one_epoch(tmp_path_factory):
    """The folder of a run of one epoch; to be read or copied."""
    folder = tmp_path_factory.mktemp("one_epoch")
    train(folder, epochs=1)
    return folder


def copy(folder, to):
    return shutil.copytree(folder, to, dirs_exist_ok=True)


@pytest.mark.parametrize(
    ("every", "kills"),
    [
        (1, [7, 13]),
        pytest.param("2 epochs", [20], marks=pytest.mark.slow),
        pytest.param("1 updates", [0, 5, 9, 4], marks=pytest.mark.slow),
        pytest.param("2 updates", [23, 3], marks=pytest.mark.slow),
        pytest.param("0.001 seconds", [11, 3], marks=pytest.mark.slow),
    ],
)
def test_r2_a_killed_run_goes_on_bit_for_bit(whole, tmp_path, every, kills):
    for kill in kills:
        with pytest.raises(Killed):
            train(tmp_path, KillAt(kill), every=every)
    checkpoint, end = train(tmp_path, every=every)
    assert checkpoint.resumed is not None
    assert end == whole


def test_a_complete_run_is_only_restored(complete, tmp_path):
    folder, whole = complete
    copy(folder, tmp_path)
    checkpoint, end = train(tmp_path, KillAt(0))
    assert checkpoint.resumed == (EPOCHS, 0)
    assert end == whole


def test_an_early_stop_is_for_good(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    _, end = train(tmp_path, Stop())
    assert end["epoch"] == [0, 1]
    assert train(tmp_path)[1] == end


@pytest.mark.slow
def test_after_an_early_stop_more_patience_goes_on(tmp_path):
    def run(folder, patience):
        model = make(schedule=None, learning_rate=0.2)
        stopping = kr.callbacks.EarlyStopping("val_loss", patience=patience)
        fitted = model.fit(
            kr.data.batches(X[:48], Y[:48], batch_size=8, seed=3),
            validation_data=(X[48:], Y[48:]),
            epochs=30,
            verbose=0,
            callbacks=[Checkpoint(folder), stopping],
        )
        weights = [w.tobytes() for w in model.get_weights()]
        return fitted.epoch, fitted.history, stopping.stopped_epoch, stopping.reason, weights

    first, whole = run(tmp_path / "a", 1), run(tmp_path / "b", 4)
    assert first[2] < whole[2] < 29
    assert run(tmp_path / "a", 1) == first
    assert run(tmp_path / "a", 4) == whole
    assert run(tmp_path / "a", 4) == whole


def test_steps_per_epoch_is_warned_of(tmp_path):
    data = kr.data.batches(X, Y, batch_size=8, seed=3)
    with pytest.warns(UserWarning, match="steps_per_epoch"):
        make().fit(data, epochs=1, steps_per_epoch=2, verbose=0, callbacks=Checkpoint(tmp_path))


def test_stateful_rnn_goes_on(tmp_path):
    def run(folder, *extra):
        keras.utils.set_random_seed(0)
        layers = [keras.layers.GRU(3, stateful=True), keras.layers.Dense(1)]
        model = keras.Sequential([keras.Input((4, 1), batch_size=8), *layers])
        model.compile("sgd", "mse")
        checkpoint = Checkpoint(folder, every="1 updates")
        callbacks = [checkpoint, *extra]
        x, y = X[:48, :, None], X[:48, 0]
        model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0, callbacks=callbacks)
        return checkpoint.resumed, [w.tobytes() for w in [*model.get_weights(), *_states(model)]]

    whole = run(tmp_path / "whole")[1]
    with pytest.raises(Killed):
        run(tmp_path / "killed", KillAt(9))
    assert run(tmp_path / "killed") == ((1, 3), whole)


def _states(model):
    return [keras.ops.convert_to_numpy(state) for state in model.layers[0].states]


def test_more_epochs_go_on_from_the_end(tmp_path):
    train(tmp_path, epochs=2, model=make(schedule=None))
    checkpoint, end = train(tmp_path, epochs=EPOCHS, model=make(schedule=None))
    assert checkpoint.resumed == (2, 0)
    assert end["epoch"] == list(range(EPOCHS))


@pytest.mark.slow
def test_the_next_fit_begins_at_its_own_epoch(tmp_path):
    model = make()
    train(tmp_path, model=model, epochs=1)
    fitted = model.fit(X, Y, epochs=2, verbose=0)
    assert fitted.epoch == [0, 1]


@pytest.mark.slow
@pytest.mark.parametrize("spe", representative([2, 4], 4))
def test_several_steps_per_execution(tmp_path, spe):
    def model():
        made = make()
        made.compile(made.optimizer, made.loss, metrics=["accuracy"], steps_per_execution=spe)
        return made

    expected = train(tmp_path / "whole", model=model())[1]
    with pytest.raises(Killed):
        train(tmp_path / "killed", KillAt(4), model=model(), every="1 updates")
    assert train(tmp_path / "killed", model=model(), every="1 updates")[1] == expected


def test_plain_keras_models_too(tmp_path):
    def run(folder, *extra):
        keras.utils.set_random_seed(2)
        layers = [keras.Input((4,)), keras.layers.Dense(4), keras.layers.Dropout(0.5)]
        model = keras.Sequential([*layers, keras.layers.Dense(1)])
        model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
        data = kr.data.batches(X, Y, batch_size=8, seed=0)
        callbacks = kr.callbacks.standard(checkpoint=folder, monitor="loss", progress=False)
        fitted = model.fit(data, epochs=4, verbose=0, shuffle=False, callbacks=[*callbacks, *extra])
        return fitted.history, [w.tobytes() for w in model.get_weights()]

    expected = run(tmp_path / "whole")
    with pytest.raises(Killed):
        run(tmp_path / "killed", KillAt(20))
    assert run(tmp_path / "killed") == expected


def test_ctrl_c_within_an_epoch_is_gone_on_with(whole, tmp_path):
    class CtrlC(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 2:
                signal.raise_signal(signal.SIGINT)

    checkpoint, end = train(tmp_path, CtrlC())
    assert end["epoch"] == [0]
    checkpoint, end = train(tmp_path)
    assert checkpoint.resumed == (0, 3)
    assert end == whole


@pytest.mark.slow
def test_a_fit_that_fails_while_it_skips_leaves_the_model_well(whole, tmp_path):
    with pytest.raises(Killed):
        train(tmp_path, KillAt(STEPS + 5), every="1 updates")
    model = make()
    with pytest.raises(Killed):
        train(tmp_path, KillAt(2), model=model, every="1 updates")
    assert train(tmp_path, model=model, every="1 updates")[1] == whole
    before = model.get_weights()
    history = model.fit(X, Y, verbose=0).history
    assert "loss" in history
    assert any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.slow
def test_ctrl_c_while_it_skips_ends_cleanly(whole, tmp_path):
    class CtrlC(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Killed):
        train(tmp_path, KillAt(STEPS + 5), every="1 updates")
    train(tmp_path, CtrlC(), every="1 updates")
    assert train(tmp_path, every="1 updates")[1] == whole


def test_a_refusal_does_not_stick(tmp_path, one_epoch):
    copy(one_epoch, tmp_path)
    model = make()
    wrong = [kr.callbacks.Progress(), kr.callbacks.LearningRateLog()]
    with pytest.raises(InputError, match="cannot work together"):
        train(tmp_path, *wrong, model=model)
    assert model.fit(X, Y, verbose=0).epoch == [0]


def test_a_model_without_weights_is_refused(tmp_path):
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(InputError, match="has no weights yet"):
        model.fit(X, Y, verbose=0, callbacks=[Checkpoint(tmp_path)])


def test_a_constant_rate_that_was_cut_is_the_same_training(tmp_path):
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    model.compile(keras.optimizers.SGD(1e-12), "mse")
    for epochs in (4, 6):
        plateau = kr.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=1e-3)
        every = [Checkpoint(tmp_path), plateau]
        fitted = model.fit(X, Y, epochs=epochs, verbose=0, shuffle=False, callbacks=every)
        assert fitted.epoch == list(range(epochs))
        assert plateau.cuts == list(range(1, epochs))


def test_averaging_that_comes_or_goes_is_refused(tmp_path):
    def run(*extra):
        inputs = keras.Input((4,))
        model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
        model.compile("sgd", "mse")
        model.fit(X, Y, verbose=0, shuffle=False, callbacks=[Checkpoint(tmp_path), *extra])

    run()
    with pytest.raises(InputError, match="without WeightAveraging"):
        run(kr.callbacks.WeightAveraging("swa"))


def test_states_that_cannot_be_saved_are_refused(tmp_path):
    class Odd(keras.callbacks.Callback):
        def state_dict(self):
            return {"seen": {1, 2}}

        def load_state_dict(self, state):
            raise AssertionError

    with pytest.raises(InputError, match="of Odd must return"):
        train(tmp_path, Odd())


def test_lambdas_and_losses_without_a_name(tmp_path):
    def run():
        inputs = keras.Input((4,))
        model = keras.Model(inputs, keras.layers.Lambda(lambda x: x * 2)(inputs))
        model = keras.Model(inputs, keras.layers.Dense(1)(model.output))
        model.compile("sgd", functools.partial(keras.losses.mean_squared_error))
        fit = {"epochs": 2, "verbose": 0, "shuffle": False}
        model.fit(X, Y[:, None], **fit, callbacks=[Checkpoint(tmp_path)])

    run()
    run()


def test_keep(tmp_path):
    train(tmp_path, keep=2, epochs=3)
    assert generations(tmp_path) == ["generation-00000002", "generation-00000003"]
    assert not list(tmp_path.glob(".*"))


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b"")


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("file", ["state.json", "arrays.npz", "SHA256SUMS"])
@pytest.mark.parametrize(
    "harm", [truncate, flip, pathlib.Path.unlink, lambda p: p.write_bytes(b"")]
)
def test_a_damaged_save_is_set_aside_and_the_one_before_used(whole, killed, tmp_path, file, harm):
    copy(killed, tmp_path)
    *_, before, newest = generations(tmp_path)
    harm(tmp_path / newest / file)
    checkpoint = Checkpoint(tmp_path)
    with (
        pytest.warns(UserWarning, match=f"{newest} is damaged .* damaged-{newest}"),
        pytest.raises(Killed),
    ):
        train(tmp_path, KillAt(0), checkpoint=checkpoint)
    assert checkpoint.resumed == (int(before[-8:]), 0)
    assert (tmp_path / f"damaged-{newest}").is_dir()
    if harm is flip:
        assert train(tmp_path)[1] == whole


def test_all_damaged_starts_anew(whole, tmp_path):
    with pytest.raises(Killed):
        train(tmp_path, KillAt(8), keep=1)
    truncate(tmp_path / generations(tmp_path)[0] / "arrays.npz")
    with pytest.warns(UserWarning, match="damaged"):
        checkpoint, end = train(tmp_path)
    assert checkpoint.resumed is None
    assert end == whole


def test_leftovers_of_a_killed_save_are_removed(tmp_path):
    (tmp_path / ".generation-00000000-77").mkdir(parents=True)
    train(tmp_path, epochs=1)
    assert not list(tmp_path.glob(".*"))


CHANGES = [
    (lambda: {"model": make(hidden=(7,))}, r"recipe.hidden\[0\] was 6 and is 7"),
    (lambda: {"model": make(dropout=0.2)}, "recipe.dropout was 0.3 and is 0.2"),
    (lambda: {"x": X + 1}, "of another training: data has changed; data.validation has changed"),
    (lambda: {"seed": 4}, "data.seed was 3 and is 4"),
]


@pytest.mark.parametrize(("change", "message"), CHANGES)
def test_another_training_is_refused_and_the_difference_named(tmp_path, one_epoch, change, message):
    copy(one_epoch, tmp_path)
    before = generations(tmp_path)
    with pytest.raises(InputError, match=message):
        train(tmp_path, epochs=2, **change())
    assert generations(tmp_path) == before


def test_a_changed_plain_model_is_refused(tmp_path):
    def run(activation, loss):
        inputs = keras.Input((4,))
        outputs = keras.layers.Dense(1, activation=activation)(inputs)
        model = keras.Model(inputs, outputs)
        model.compile("sgd", loss)
        model.fit(X, Y, verbose=0, shuffle=False, callbacks=[Checkpoint(tmp_path)])

    run("tanh", "mse")
    run("tanh", "mse")
    with pytest.raises(InputError, match=r'activation was "tanh" and is "sigmoid"'):
        run("sigmoid", "mse")
    with pytest.raises(InputError, match=r'compile.loss was "mse" and is "mae"'):
        run("tanh", "mae")


def test_two_runs_in_one_folder_are_refused(tmp_path):
    code = (
        "import sys, filelock, time\n"
        f"lock = filelock.FileLock({str(tmp_path / 'lock')!r}); lock.acquire()\n"
        "print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout.readline() == b"held\n"
            with pytest.raises(InputError, match="in use by another run"):
                train(tmp_path)
        finally:
            other.kill()
    train(tmp_path, epochs=1)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written to"):
        train(tmp_path / "file" / "folder")


def test_a_full_disk_does_not_end_the_training(whole, tmp_path):
    class FullDisk(keras.callbacks.Callback):
        """Lets no file grow beyond 100 bytes during the epochs 1 to 3."""

        def limit(self, soft):
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

        def on_epoch_end(self, epoch, logs=None):
            self.limit(100 if epoch < 2 else resource.RLIM_INFINITY)

    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    full = FullDisk()
    try:
        with pytest.warns(UserWarning, match="failed: .*File too large"), pytest.raises(Killed):
            train(tmp_path, full, KillAt(15))
    finally:
        full.limit(resource.RLIM_INFINITY)
        signal.signal(signal.SIGXFSZ, previous)
    assert generations(tmp_path) == ["generation-00000000"]
    assert not list(tmp_path.glob(".*"))
    checkpoint, end = train(tmp_path)
    assert checkpoint.resumed == (0, 0)
    assert end == whole


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    class Spoil(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                weight = self.model.trainable_weights[-1]
                weight.assign(weight * np.nan)

    checkpoint, _ = train(tmp_path, Spoil(), epochs=2)
    assert checkpoint.last_error == "the weights of epoch 2, step 0 are not finite"
    assert generations(tmp_path) == ["generation-00000000", "generation-00000001"]


def test_weights_of_half_precision_that_are_not_finite_are_not_saved(tmp_path):
    inputs = keras.Input((4,), dtype="bfloat16")
    model = keras.Model(inputs, keras.layers.Dense(1, dtype="bfloat16")(inputs))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    x = np.where(np.arange(72)[:, None] == 9, np.nan, X)
    model.fit(x, Y, verbose=0, shuffle=False, epochs=2, callbacks=[Checkpoint(tmp_path)])
    assert generations(tmp_path) == ["generation-00000000"]


def test_a_variable_that_is_infinite_on_purpose_does_not_prevent_the_save(tmp_path):
    class Bounded(keras.layers.Layer):
        def build(self, shape):
            self.bound = self.add_weight(initializer=keras.initializers.Constant(np.inf))

        def call(self, x):
            return keras.ops.minimum(x, keras.ops.stop_gradient(self.bound))

    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(1)(Bounded()(inputs)))
    model.layers[1].bound.trainable = False
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0, shuffle=False, callbacks=[Checkpoint(tmp_path)])
    assert generations(tmp_path) == ["generation-00000000", "generation-00000001"]


@pytest.mark.parametrize("change", ["x", "validation", "class_weight", "sample_weight"])
def test_other_data_is_refused_for_plain_models_and_for_a_callback_used_again(tmp_path, change):
    checkpoint = Checkpoint(tmp_path)

    def run(offset=0.0, **changes):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        shifted = {name: offset * (change == name) for name in ("x", "validation")}
        fit = {"verbose": 0, "shuffle": False, "callbacks": [checkpoint]}
        validation = X[48:] + shifted["validation"], Y[48:]
        model.fit(X[:48] + shifted["x"], Y[:48], validation_data=validation, **fit, **changes)

    run()
    if change == "x":
        run()  # the same data are taken
    weights = {"class_weight": {0: 1.0, 1: 2.0}, "sample_weight": np.ones(48)}
    changes = {change: weights[change]} if change in weights else {"offset": 1.0}
    with pytest.raises(InputError, match=r"of another training: data.*(changed|was)"):
        run(**changes)


@pytest.mark.parametrize("state", [{1: 2}, np.array(["a"]), np.array("2020", "datetime64[s]")])
def test_states_that_would_come_back_as_others_are_refused(tmp_path, state):
    class Odd(keras.callbacks.Callback):
        def state_dict(self):
            return {"seen": state}

        def load_state_dict(self, state):
            raise AssertionError

    with pytest.raises(InputError, match="of Odd must return"):
        train(tmp_path, Odd())


def test_an_average_of_another_kind_is_refused(tmp_path):
    def run(kind):
        averaging = kr.callbacks.WeightAveraging(
            kind, **({"start_from_epoch": 0} if kind == "swa" else {})
        )
        inputs = keras.Input((4,))
        model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
        model.compile(kr.optimizers.SGD(0.1), "mse")
        fit = {"verbose": 0, "shuffle": False, "epochs": 2}
        model.fit(X, Y, **fit, callbacks=[Checkpoint(tmp_path), averaging])

    run("ema")
    with pytest.raises(InputError, match="kind='ema'. Received: 'swa'"):
        run("swa")


def test_fewer_epochs_than_there_are_give_a_warning(tmp_path):
    train(tmp_path, epochs=2, model=make(schedule=None))
    with pytest.warns(UserWarning, match="has 2 epochs already, more than epochs=1"):
        train(tmp_path, epochs=1, model=make(schedule=None))


def test_the_sums_are_those_of_sha256sum(one_epoch):
    folder = one_epoch / generations(one_epoch)[-1]
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_the_recipe_is_in_the_save(one_epoch):
    state = json.loads((one_epoch / generations(one_epoch)[-1] / "state.json").read_text())
    assert state["identity"]["recipe"]["name"] == "mlp"
    assert (state["epoch"], state["step"], state["complete"]) == (1, 0, False)


def test_half_precision_variables(tmp_path):
    values = {
        dtype: np.array(keras.ops.convert_to_numpy(keras.ops.cast([1.5, -2.0], dtype)))
        for dtype in ("bfloat16", "float16", "float32", "bool", "uint32")
    }
    kept = Generations(tmp_path, keep=1)
    kept.open()
    kept.write({"arrays": values, "scalar": np.array(3.0, "float32")})
    found = kept.newest().state
    kept.close()
    for dtype, value in values.items():
        assert found["arrays"][dtype].dtype.name == dtype
        np.testing.assert_array_equal(found["arrays"][dtype], value)
    assert found["scalar"].shape == ()


ERRORS = [
    ({"every": 0}, "`every`"),
    ({"every": "5"}, "`every`.*'2 epochs'"),
    ({"every": "0 updates"}, "`every`"),
    ({"every": "1.5 epochs"}, "`every`"),
    ({"every": "1.2.3 updates"}, "`every`"),
    ({"keep": 0}, "`keep`"),
    ({"directory": 3}, "`directory`"),
    ({"directory": ""}, "`directory`"),
]


@pytest.mark.parametrize(("arguments", "message"), ERRORS)
def test_bad_input(arguments, message):
    with pytest.raises(InputError, match=message):
        Checkpoint(**{"directory": "folder", **arguments})
