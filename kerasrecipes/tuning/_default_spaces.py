"""The search spaces of the recipes of this package."""

from collections.abc import Callable
from typing import Any

from kerasrecipes.tuning.parameter import Parameter
from kerasrecipes.tuning.parameters import Choice, Fixed, Float, Int

# Conditions also name what is not among the choices, for those who add it.
_ADAPTIVE = ("adamw", "nadam", "adam", "adamax", "rmsprop", "schedule_free_adamw", "muon")
_DECAYING = ("adamw", "lion", "muon", "schedule_free_adamw")
_FALLING = ("cosine", "warmup_stable_decay")
_OTHER_SCHEDULES = (None, *_FALLING, "constant", "flat_cosine", "exponential_decay", "step_decay")
_NOT_SELU = (
    *("relu", "leaky_relu", "gelu", "silu", "tanh", "elu", "celu", "mish", "swish", "prelu"),
    *("rrelu", "relu6", "sigmoid", "softplus", "softsign", "hard_silu", "hard_swish", "linear"),
)


def dense_layers() -> dict[str, Parameter]:
    """Depth, width and form of a stack of dense layers, and what each of them does (S1.3, S2)."""
    deep = (2, 3, 4, 5, 6, 7, 8)
    return {
        "layers": Int(1, 5, default=3, argument="hidden.layers"),
        "units": Int(32, 512, log=True, step=2, default=256, argument="hidden.units"),
        "shape": Choice(("constant", "pyramid"), argument="hidden.shape", when={"layers": deep}),
        "activation": Choice(("relu", "leaky_relu", "gelu", "silu", "selu", "tanh")),
        "normalization": Choice(("batch", "layer", None), when={"activation": _NOT_SELU}),
        # SELU normalises by itself, which another normalisation would undo.
        "selu_normalization": Fixed(None, when={"activation": ("selu",)}, argument="normalization"),
        "residual": Choice((False, True), when={"shape": ("constant",)}),
    }


def regularisation() -> dict[str, Parameter]:
    """Dropout and penalty (S5)."""
    return {
        "dropout": Float(0.0, 0.5),
        "l2": Float(1e-6, 1e-2, log=True, also=(0.0,)),
    }


def optimization() -> dict[str, Parameter]:
    """Optimizer, rate, schedule, clipping, decay and batch size (S6-S9).

    Each optimizer has rates of its own: those of Lion are a tenth of Adam's, since its updates
    are signs, and those of SGD ten times Adam's, since its updates are the gradients as they are.
    """
    return {
        "optimizer": Choice(("adamw", "nadam", "sgd", "lion")),
        "learning_rate": Float(1e-4, 3e-2, log=True, default=1e-3, when={"optimizer": _ADAPTIVE}),
        "sgd_learning_rate": Float(
            *(1e-3, 0.5),
            log=True,
            default=1e-2,
            when={"optimizer": ("sgd",)},
            argument="learning_rate",
        ),
        "lion_learning_rate": Float(
            *(1e-5, 3e-3),
            log=True,
            default=1e-4,
            when={"optimizer": ("lion",)},
            argument="learning_rate",
        ),
        "schedule": Choice((None, "cosine", "one_cycle", "warmup_stable_decay")),
        "warmup": Float(
            0.0, 0.2, default=0.05, when={"schedule": _FALLING}, argument="schedule.warmup"
        ),
        # OneCycle moves the momentum itself.
        "momentum": Float(
            0.5,
            0.99,
            default=0.9,
            when={"optimizer": ("sgd",), "schedule": _OTHER_SCHEDULES},
            argument="optimizer.momentum",
        ),
        "weight_decay": Float(
            1e-4, 0.3, log=True, also=(0.0,), default=1e-2, when={"optimizer": _DECAYING}
        ),
        "clip_norm": Float(0.1, 10.0, log=True, also=(None,)),
        "batch_size": Int(16, 256, log=True, step=2),
    }


def mlp() -> dict[str, Parameter]:
    """The space of `kerasrecipes.recipes.mlp`, but for `label_smoothing`."""
    return {**dense_layers(), **regularisation(), **optimization()}


def temporal() -> dict[str, Parameter]:
    """The space of `kerasrecipes.recipes.temporal`, but for `label_smoothing`."""
    return {
        "form": Choice(("fcn", "resnet")),
        "filters": Choice((None, (32, 64, 32), (64, 128, 128), (128, 256, 128))),
        "kernel_size": Choice(((7, 5, 3), (15, 9, 5), (5, 5, 3))),
        "strides": Choice((1, 2)),
        "activation": Choice(("relu", "leaky_relu", "gelu", "silu")),
        **regularisation(),
        **_optimization_of_sequences(1e-2),
    }


def rnn() -> dict[str, Parameter]:
    """The space of `kerasrecipes.recipes.rnn`, but for `label_smoothing`."""
    return {
        "cell": Choice(("gru", "lstm")),
        "units": Choice(((32,), (64,), (128,), (64, 64), (128, 128))),
        "bidirectional": Choice((True, False)),
        "pooling": Choice(("mean", "last")),
        **regularisation(),
        **_optimization_of_sequences(3e-3),
    }


def transformer() -> dict[str, Parameter]:
    """The space of `kerasrecipes.recipes.transformer`, but for `label_smoothing`."""
    warmup = Float(0.0, 0.2, default=0.1, when={"schedule": _FALLING}, argument="schedule.warmup")
    return {
        "layers": Int(1, 6, default=2),
        "units": Choice((32, 64, 128, 256)),
        "num_heads": Choice((2, 4, 8)),
        "activation": Choice(("gelu", "relu", "silu")),
        **regularisation(),
        **_optimization_of_sequences(1e-3),
        "warmup": warmup,
    }


def _optimization_of_sequences(rate: float | None) -> dict[str, Parameter]:
    """That of `optimization` around the rate that a recipe has for AdamW; None for its own."""
    also = (None,) if rate is None else ()
    own = Float(1e-4, 3e-2, log=True, also=also, default=rate, when={"optimizer": _ADAPTIVE})
    return {**optimization(), "learning_rate": own}


def cnn() -> dict[str, Parameter]:
    """The space of `kerasrecipes.recipes.cnn`, but for `label_smoothing`."""
    return {
        **_images(),
        "kernel_size": Choice((3, 5)),
        "pooling": Choice(("max", "average", "blur")),
    }


def resnet() -> dict[str, Parameter]:
    """The space of `kerasrecipes.recipes.resnet`, but for `label_smoothing`."""
    return {
        **_images(),
        "squeeze_excite": Choice((None, 4, 16)),
        "blur_pool": Choice((False, True)),
        "stochastic_depth": Float(0.0, 0.3),
    }


def fine_tune() -> dict[str, Parameter]:
    """The space of `kerasrecipes.recipes.fine_tune`, but for `label_smoothing`."""
    return {
        "unfreeze": Choice(("gradual", "all", "head")),
        "groups": Int(1, 5, default=3, when={"unfreeze": ("gradual", "all")}),
        "rate_factor": Float(0.05, 1.0, default=0.2, when={"unfreeze": ("gradual", "all")}),
        "dropout": Float(0.0, 0.5),
        "learning_rate": Float(1e-3, 3e-2, log=True, default=1e-2),
        "weight_decay": Float(1e-4, 0.3, log=True, also=(0.0,), default=1e-2),
        "batch_size": Int(16, 128, log=True, step=2),
    }


def _images() -> dict[str, Parameter]:
    """What the recipes for images have in common: depth, regularisation, and optimization."""
    own = {
        "schedule": Choice(("one_cycle", "cosine", "warmup_stable_decay", None)),
        "learning_rate": Float(1e-4, 3e-2, log=True, default=5e-3, when={"optimizer": _ADAPTIVE}),
    }
    return {
        "blocks": Choice((1, 2, 3)),
        "activation": Choice(("relu", "leaky_relu", "gelu", "silu")),
        **regularisation(),
        **optimization(),
        **own,
    }


def text() -> dict[str, Parameter]:
    """The space of `kerasrecipes.recipes.text`, but for `label_smoothing`."""
    sequences = {"form": ("cnn", "transformer")}
    return {
        "form": Choice(("ngrams", "cnn", "transformer")),
        "hidden": Choice((None, (), (32,), (512,), (128, 128)), when={"form": ("ngrams",)}),
        "embedding_units": Choice((None, 32, 128, 256), when=sequences),
        "filters": Choice((None, 64, 256), when={"form": ("cnn",)}),
        "layers": Choice((None, 1, 4), when={"form": ("transformer",)}),
        "dropout": Float(0.0, 0.7, also=(None,), default=None),
        **_optimization_of_sequences(None),
        "schedule": Choice((None, "one_cycle", "constant", "warmup_stable_decay")),
        "warmup": Float(
            *(0.0, 0.2),
            default=0.05,
            when={"schedule": ("warmup_stable_decay",)},
            argument="schedule.warmup",
        ),
    }


SPACES: dict[str, Callable[[], dict[str, Any]]] = {
    "cnn": cnn,
    "fine_tune": fine_tune,
    "mlp": mlp,
    "resnet": resnet,
    "rnn": rnn,
    "temporal": temporal,
    "text": text,
    "transformer": transformer,
}
SMOOTHING = Float(0.0, 0.2, default=0.0)
