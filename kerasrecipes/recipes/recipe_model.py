"""RecipeModel, and the record of the recipe call that made it."""

import contextlib
import dataclasses
import inspect
from collections.abc import Sequence
from typing import Any, Self

import keras
import numpy as np

from kerasrecipes._arrays import as_array, is_mixed_table
from kerasrecipes._checks import fail
from kerasrecipes._export import export
from kerasrecipes.callbacks.average_for_evaluation import AverageForEvaluation
from kerasrecipes.callbacks.bind_schedule import BindSchedule
from kerasrecipes.callbacks.callback import close
from kerasrecipes.callbacks.callback_check import check_callbacks
from kerasrecipes.callbacks.checkpoint import Checkpoint
from kerasrecipes.callbacks.epoch_order import EpochOrder
from kerasrecipes.callbacks.monitor import missing_validation
from kerasrecipes.distribute._compilation import check_compilation
from kerasrecipes.distribute._lost_worker import lost_worker
from kerasrecipes.distribute._masked_loss import weights_of_masked
from kerasrecipes.distribute._shards import check_shards
from kerasrecipes.distribute.check_model import check_model
from kerasrecipes.execution.execution import Execution
from kerasrecipes.execution.waiting import after
from kerasrecipes.optimizers.loss_scale_optimizer import scaled
from kerasrecipes.optimizers.sam import second_gradient
from kerasrecipes.targets.target import Target


@dataclasses.dataclass(frozen=True)
class RecipeCall:
    """Which recipe made a model, and with which arguments.

    Attributes:
        name: Name of the recipe function.
        arguments: Its arguments by name, defaults included, without `strategy` and `fast`,
            which say how to train and not what.

    Example:
    >>> RecipeCall("mlp", {"hidden": (64,)}).arguments["hidden"]
    (64,)
    """

    name: str
    arguments: dict[str, Any]


@export("models")
class RecipeModel(keras.Model):
    """The `keras.Model` that recipes return: a functional model that knows how it was made.

    `fit` is Keras's own, with a few things seen to: a schedule of relative length gets the length
    of the fit; labels that come as arrays are encoded by the target, so that names are accepted
    and wrong labels refused before training; and so are callbacks that clash, and one that
    watches a validation metric without validation data.

    Args:
        inputs: Symbolic inputs, as for `keras.Model`.
        outputs: Symbolic outputs, as for `keras.Model`.
        **kwargs: `name` and `trainable`, as for `keras.Model`.
        recipe: The `RecipeCall` that made the model, or None. It is saved with the model.

    Attributes:
        recipe: The `RecipeCall` that made the model, or None.
        target: The `Target` that the model was made for, or None.
        fast: Whether to train on many batches at a time: "auto", True or False; see `mlp`.
        execution: The `Execution` of the last fit: how it was carried out, and why; or None.

    Example:
    >>> import kerasrecipes as kr
    >>> model = kr.recipes.mlp((4,), kr.targets.Binary(), hidden=(8,))
    >>> model.recipe.name, model.recipe.arguments["hidden"]
    ('mlp', (8,))
    """

    # `*args, **kwargs` is how Keras of every version recognises a functional model's constructor.
    def __init__(self, *args: Any, recipe: RecipeCall | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.recipe = recipe
        self._fast: bool | str = "auto"
        self._metrics_are_known = True
        self.execution: Execution | None = None
        self._executor: Any = None

    @property
    def fast(self) -> bool | str:
        """Whether to train on many batches at a time: "auto", True or False."""
        return self._fast

    @fast.setter
    def fast(self, fast: bool | str) -> None:
        if fast not in ("auto", True, False):
            fail("fast", '"auto", True or False', fast)
        self._fast = fast

    @property
    def fit_arguments(self) -> dict[str, Any]:
        """The arguments of the fit that is running, as they were given; {} outside."""
        return {} if self._executor is None else self._executor.arguments

    @property
    def goes_over_rows(self) -> bool:
        """Whether the fit that is running goes over rows in memory by a graph."""
        return self._executor is not None and self._executor.goes_over_rows

    @property
    def target(self) -> Target | None:
        """What the model was made to predict."""
        return None if self.recipe is None else self.recipe.arguments["target"]

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compiles as `keras.Model.compile` does, with the loss scaling of this package."""
        strategy = check_model(self)
        given = inspect.signature(super().compile).bind(*args, **kwargs)
        given.apply_defaults()
        if strategy is not None and strategy.num_replicas_in_sync > 1:
            check_compilation(given.arguments)
        if given.arguments["auto_scale_loss"]:
            optimizer = keras.optimizers.get(given.arguments["optimizer"])
            given.arguments["optimizer"] = scaled(optimizer, self.dtype_policy)
        metrics = [given.arguments["metrics"], given.arguments["weighted_metrics"]]
        self._metrics_are_known = all(map(_is_known_metric, keras.tree.flatten(metrics)))
        super().compile(*given.args, **given.kwargs)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles a loaded model; Keras would not, since `compile` is not its own."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.optimizer is not None:
            self.optimizer.build(self.trainable_variables)

    def train_step(self, *args: Any, **kwargs: Any) -> Any:
        """Trains on one batch as `keras.Model.train_step` does, for `SAM` with two gradients."""
        with after(args), second_gradient(self, *args):
            return super().train_step(*args, **kwargs)

    def test_step(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluates one batch as `keras.Model.test_step` does."""
        with after(args):
            return super().test_step(*args, **kwargs)

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Trains the model, as `keras.Model.fit` does, and sees to what the class says.

        Data from `kerasrecipes.data.batches` has the order of the epoch that `fit` is in.
        """
        strategy = check_model(self)
        given = inspect.signature(super().fit).bind(*args, **kwargs).arguments
        callbacks = given.get("callbacks")
        if isinstance(callbacks, keras.callbacks.CallbackList):
            with self._batch_by_batch():
                return super().fit(*args, **kwargs)
        single = isinstance(callbacks, keras.callbacks.Callback)
        callbacks = [callbacks] if single else keras.tree.flatten(callbacks or [])
        _check_callbacks(callbacks)
        for data in (given.get("x"), given.get("validation_data")):
            _check_table(data)
        _check_shards_of_fit(given)
        _check_validation(callbacks, given)
        checkpoints = [each for each in callbacks if isinstance(each, Checkpoint)]
        for kind in (AverageForEvaluation, BindSchedule, EpochOrder):
            if not any(isinstance(callback, kind) for callback in callbacks):
                callbacks.insert(len(checkpoints), kind())
        check_callbacks(callbacks, self)
        if hasattr(given.get("x"), "element_spec"):
            given.setdefault("shuffle", False)  # else Keras warns that it cannot
        if self.has_loss_of_target():
            given.update(_encoded(given, self.target))
        if strategy is not None and strategy.num_replicas_in_sync > 1:
            given = self._divided(given, strategy)
        try:
            given["callbacks"] = callbacks
            with lost_worker(self), self._fitting(strategy, given, callbacks) as given:
                return super().fit(**given)
        finally:
            close(callbacks)

    def make_train_function(self, force: bool = False) -> None:
        """Makes the function that `fit` calls for a step, as `keras.Model` does."""
        if self.train_function is None or force:
            super().make_train_function(force)
            self._wrap("train_function")

    def make_test_function(self, force: bool = False) -> None:
        """Makes the function that `evaluate` calls for a step, as `keras.Model` does."""
        if self.test_function is None or force:
            super().make_test_function(force)
            self._wrap("test_function")

    def make_predict_function(self, force: bool = False) -> None:
        """Makes the function that `predict` calls for a step, as `keras.Model` does."""
        if self.predict_function is None or force:
            super().make_predict_function(force)
            self._wrap("predict_function")

    def leave_out(self, batches: int) -> None:
        """Leaves out the first batches of the next step of a fit in a graph, for `Checkpoint`."""
        self._in_graph().leave_out(batches)

    def _batch_by_batch(self) -> Any:
        if keras.config.backend() != "tensorflow":
            return contextlib.nullcontext()
        return self._in_graph().batch_by_batch()

    def _wrap(self, name: str) -> None:
        if keras.config.backend() == "tensorflow":
            self._in_graph().wrap(name)

    def _in_graph(self) -> Any:
        """Returns what lets Keras train, evaluate and predict by graphs over rows in memory."""
        from kerasrecipes.execution.executor import Executor

        if self._executor is None:
            self._executor = Executor(self)
        return self._executor

    def _fitting(self, strategy: Any, given: dict[str, Any], callbacks: Sequence[Any]) -> Any:
        """Returns the context of a fit, which gives the arguments for Keras's."""
        reason = self._why_by_batch(strategy)
        if reason:
            self.execution = Execution(reason=reason)
            return contextlib.nullcontext(given)
        return self._in_graph().fit(given, callbacks)

    def _why_by_batch(self, strategy: Any) -> str:
        """Returns why the model goes over rows batch by batch; "" if it has an executor for all."""
        if keras.config.backend() != "tensorflow":
            return f"the backend is {keras.config.backend()}"
        if strategy is not None:
            return f"it trains under {type(strategy).__name__}"
        if self.fast is False:
            return "`fast` is False"
        if self.fast == "auto" and self._in_graph().is_on_gpu():
            return "it is on a GPU, where graphs over rows have not been measured"
        return ""

    def _divided(self, given: dict[str, Any], strategy: Any) -> dict[str, Any]:
        """Returns `fit`'s arguments with equal parts of the data for each replica."""
        from kerasrecipes.distribute._replica_seeds import give_own_seeds
        from kerasrecipes.recipes._even import evenly

        give_own_seeds(self)
        seed = None if self.recipe is None else self.recipe.arguments.get("seed")
        return evenly(given, strategy, seed)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Computes the loss as Keras does, a masked one as a mean over all replicas."""
        if keras.config.backend() == "tensorflow":
            sample_weight = weights_of_masked(y_pred, x, sample_weight)
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def evaluate(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Evaluates the model as `keras.Model.evaluate` does; arrays of labels are encoded."""
        if _is_array(y) and self.has_loss_of_target():
            y = self.target.encode(y)  # type: ignore[union-attr]
        check_shards("x", x, args[0] if args else kwargs.get("batch_size"))
        with lost_worker(self):
            if self._why_by_batch(check_model(self)):
                return super().evaluate(x, y, *args, **kwargs)
            names = inspect.signature(keras.Model.evaluate)
            given = dict(names.bind(self, x, y, *args, **kwargs).arguments)
            own = given.pop("kwargs", {})
            within_fit = own.get("_use_cached_eval_dataset", False)
            with self._in_graph().evaluate(given, within_fit=within_fit) as given:
                del given["self"]
                return super().evaluate(**given, **own)

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Predicts as `keras.Model.predict` does; a worker that is gone is said to be."""
        check_shards("x", x, args[0] if args else kwargs.get("batch_size"))
        with lost_worker(self):
            if self._why_by_batch(check_model(self)):
                return super().predict(x, *args, **kwargs)
            names = inspect.signature(keras.Model.predict)
            given = dict(names.bind(self, x, *args, **kwargs).arguments)
            with self._in_graph().predict(given) as given:
                del given["self"]
                return super().predict(**given)

    def export(self, *args: Any, **kwargs: Any) -> None:
        """Exports as `keras.Model.export` does; `kerasrecipes.exporting.export` does more.

        Only the layers go: TensorFlow refuses the optimizer of a rate that is a schedule, from
        which Keras has taken the variable of its former rate.
        """
        layers = keras.Model(self.input, self.output, name=self.name)
        layers(self.input)  # for ONNX Keras wants a model that was called
        layers.export(*args, **kwargs)

    def summary(self, *args: Any, **kwargs: Any) -> None:
        """Prints the layers as `keras.Model.summary` does, and how the model trains."""
        super().summary(*args, **kwargs)
        given = inspect.signature(keras.Model.summary).bind(self, *args, **kwargs).arguments
        say = given.get("print_fn") or print
        say(f" Trains {self.execution or self._how_it_will_train()}.\n")

    def _how_it_will_train(self) -> str:
        if self.fast is False:
            return "batch by batch, since `fast` is False"
        return "many batches in a graph if nothing looks at each (`execution` tells after a fit)"

    def has_loss_of_target(self) -> bool:
        """Returns whether the model is compiled with the loss of its target."""
        return self.target is not None and type(self.loss) is type(self.target.loss())

    def evaluates_by_row(self) -> bool:
        """Returns whether loss and metrics are the same however rows are parted into batches."""
        if not self.has_loss_of_target() or self.loss.reduction != self.target.loss().reduction:  # type: ignore[union-attr]
            return False
        return self._metrics_are_known

    def get_config(self) -> dict[str, Any]:
        """Returns the graph of layers, and the recipe."""
        recipe = None if self.recipe is None else vars(self.recipe)
        return {**super().get_config(), "recipe": keras.saving.serialize_keras_object(recipe)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """Returns the model that `get_config` described, uncompiled."""
        config = dict(config)
        recipe = keras.saving.deserialize_keras_object(config.pop("recipe", None), custom_objects)
        model = super().from_config(config, custom_objects=custom_objects)
        model.recipe = None if recipe is None else RecipeCall(**recipe)
        return model


def _check_shards_of_fit(given: dict[str, Any]) -> None:
    """Refuses data that JAX cannot divide among devices."""
    size = given.get("batch_size")
    if not given.get("validation_split"):
        check_shards("x", given.get("x"), size)
    validation = given.get("validation_data")
    if validation is not None:
        x = validation[0] if isinstance(validation, tuple) else validation
        check_shards("validation_data", x, given.get("validation_batch_size") or size)


def _encoded(given: dict[str, Any], target: Any) -> dict[str, Any]:
    """Returns the labels among `fit`'s arguments as the loss takes them; wrong ones are refused.

    Arrays are encoded by the target; tensors and datasets are left alone.
    """
    changed = {}
    if _is_array(given.get("y")):
        changed["y"] = target.encode(given["y"])
    validation = given.get("validation_data")
    if isinstance(validation, tuple) and len(validation) > 1 and _is_array(validation[1]):
        x, y, *weights = validation
        changed["validation_data"] = (x, target.encode(y), *weights)
    return changed


def _is_known_metric(metric: Any) -> bool:
    """Returns whether it is a metric of Keras or of ours, which count rows; not a function."""
    by_function = type(metric) is keras.metrics.MeanMetricWrapper
    known = type(metric).__module__.startswith(("keras.", "kerasrecipes."))
    return metric is None or isinstance(metric, str) or (known and not by_function)


def _check_table(data: Any) -> None:
    """Refuses batches of raw rows with texts, which only a `TableModel` takes, and encodes."""
    rows = getattr(data, "inputs", None)
    if is_mixed_table(rows):
        as_array("x", rows)


def _check_callbacks(callbacks: Sequence[Any]) -> None:
    for each in callbacks:
        if not isinstance(each, keras.callbacks.Callback):
            remedy = f"Did you mean {each.__name__}()?" if callable(each) else ""
            fail("callbacks", "callbacks", each, remedy)


def _is_array(y: Any) -> bool:
    return isinstance(y, (np.ndarray, list)) or hasattr(y, "to_numpy")


def _check_validation(callbacks: Sequence[Any], given: dict[str, Any]) -> None:
    """Refuses a callback of Keras that watches validation in a fit that has none; ours do."""
    if given.get("validation_data") is not None or given.get("validation_split"):
        return
    for callback in callbacks:
        monitor = getattr(callback, "monitor", None)
        if not getattr(callback, "save_best_only", True) or not isinstance(monitor, str):
            continue
        if monitor.startswith("val_"):
            raise missing_validation(callback, monitor)
