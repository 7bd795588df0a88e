"""The faults D1 and D11 of KERAS-DEFECTS.md: what Keras does, and what ours does."""

import numpy as np
import pytest

from tests.replicas import run_on_replicas
from tests.workers import run_workers

D1 = """
class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden, self.head = layers()

    def call(self, x):
        return self.head(self.hidden(x))

def layers():
    return [
        keras.layers.Dense(4, "relu", kernel_initializer=keras.initializers.GlorotUniform(1)),
        keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(2)),
    ]

def functional():
    inputs = keras.Input((5,))
    hidden, head = layers()
    return keras.Model(inputs, head(hidden(inputs)))

class Rows(keras.metrics.Metric):
    def __init__(self):
        super().__init__(name="rows")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.count.assign_add(keras.ops.cast(keras.ops.shape(y_true)[0], "float32"))

    def result(self):
        return self.count  # as in the example in Keras's documentation

def trained(model, x, y, **fit):
    common = {"batch_size": 16, "verbose": 0}
    fit = {"epochs": 2, "shuffle": False, "validation_data": (x[:24], y[:24]), **fit}
    history = model.fit(x, y, **common, **fit).history
    return {
        **history,
        "evaluate": model.evaluate(x[:24], y[:24], **common),
        "predict": model.predict(x[:24], **common).ravel().tolist(),
        "weights": np.concatenate([w.ravel() for w in model.get_weights()]).tolist(),
    }

rng = np.random.default_rng(0)
x = rng.normal(size=(48, 5)).astype("float32")
y = (x[:, :1] > 0).astype("float32")
strategy, plain = kr.distribute.strategy(verbose=False), None
if "TF_CONFIG" in os.environ:
    ours, strategy.reduce = strategy.reduce, type(strategy).reduce.__get__(strategy)
    with strategy.scope():
        model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
    try:
        model.fit(x, y, batch_size=16, verbose=0)
    except Exception as error:
        plain = type(error).__name__
    assert kr.distribute.adapt(strategy).reduce is not ours
kinds = {
    "sequential": lambda: keras.Sequential([keras.Input((5,)), *layers()]),
    "deferred": lambda: keras.Sequential(layers()),
    "functional": functional,
    "subclassed": Subclassed,
}
optimizers = {
    "deferred": keras.optimizers.Adam,
    "functional": lambda: kr.optimizers.AdamW(0.01, global_clipnorm=0.1),
    "subclassed": lambda: kr.optimizers.SGD(0.1, clipvalue=0.01),
}
found = {}
for name, build in kinds.items():
    with strategy.scope():
        model = build()
        model.compile(optimizers.get(name, lambda: "sgd")(), "mse", metrics=["mae", Rows()])
    found[name] = trained(model, x, y)
model = kr.recipes.mlp(
    (5,), kr.targets.Binary(), hidden=(4,), dropout=0.0, seed=0, schedule="cosine",
    strategy=strategy,
)
found["recipe"] = trained(model, x, y[:, 0].astype("int32"))
report(plain=plain, found=found)
"""


@pytest.mark.multi_device
def test_d1_two_workers_train_as_one_process_does():
    (one,) = run_workers(D1, workers=1)
    two = run_workers(D1, workers=2, timeout=300)
    for worker in two:
        assert worker["plain"] == "ValueError", "Keras mended D1"
        assert worker["found"].keys() == one["found"].keys()
        for name, values in one["found"].items():
            for key, value in values.items():
                label = f"{name} {key}"
                np.testing.assert_allclose(
                    worker["found"][name][key], value, rtol=0, atol=1e-6, err_msg=label
                )


D11 = """
central = tf.distribute.experimental.CentralStorageStrategy(devices)
one = tf.distribute.experimental.CentralStorageStrategy(devices[:1])
resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
    tf.train.ClusterSpec({"worker": ["a:1"], "ps": ["b:1"]}), rpc_layer="grpc"
)
def message(strategy):
    try:
        kr.distribute.adapt(strategy)
        return ""
    except kr.InputError as error:
        return str(error)

class Servers(tf.distribute.ParameterServerStrategy):
    def __init__(self):
        pass  # its own connects to the servers

found = {"central": message(central), "one": message(one), "servers": message(Servers())}
try:
    kr.recipes.mlp((2,), kr.targets.Binary(), hidden=(2,), strategy=central)
except kr.InputError as error:
    found["recipe"] = str(error)

mirrored = tf.distribute.MirroredStrategy(devices)
outside = kr.recipes.mlp((2,), kr.targets.Binary(), hidden=(2,))
with mirrored.scope():
    inside = kr.recipes.mlp((2,), kr.targets.Binary(), hidden=(2,))  # no strategy=
    for name, model in (("outside", outside), ("inside", inside)):
        try:
            found[name] = kr.distribute.check_model(model) is mirrored
        except kr.InputError as error:
            found[name] = str(error)
found["later"] = kr.distribute.check_model(inside) is mirrored
found["synchronised"] = [
    layer.synchronized for layer in inside._flatten_layers() if hasattr(layer, "synchronized")
]
plain = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
try:
    with mirrored.scope():
        plain.compile("sgd", "mse")
        plain.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
except Exception as error:
    found["plain"] = f"{type(error).__name__}: {error}"
report(**found)
"""


@pytest.mark.multi_device
def test_d11_strategies_and_models_that_keras_does_not_train():
    found = run_on_replicas(D11, replicas=2)
    assert 'distribute.strategy("mirrored")' in found["central"]
    assert found["recipe"] == found["central"]
    assert found["one"] == ""
    assert 'distribute.strategy("multi_worker")' in found["servers"]
    assert found["outside"].startswith("`model` must be built in the scope of the strategy")
    assert "kernel" in found["outside"]
    assert found["inside"] is True
    assert found["later"] is True
    assert True in found["synchronised"]
    assert found["plain"].startswith("AssertionError"), "Keras mended D11"
