"""The search spaces of the recipes of this package."""

import dataclasses
from collections.abc import Callable, Mapping
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


def tabular() -> dict[str, Parameter]:
    """The space of `kerasrecipes.recipes.tabular`, but for `label_smoothing`.

    None is what the form chooses by the rows or the target; what it always has stands as it is.
    """
    forms = {"auto": _small_ensemble(), "tabm": _ensemble(), "realmlp": _realmlp(), "mlp": _dense()}
    found: dict[str, Parameter] = {"form": Choice(tuple(forms))}
    for form, parameters in forms.items():
        found |= _of_form(form, parameters)
    tried = {"form": ("auto", "mlp")}
    return {
        **found,
        "batch_size": Int(32, 512, log=True, step=2, also=(None,), default=None, when=tried),
    }


def _of_form(form: str, parameters: Mapping[str, Parameter]) -> dict[str, Parameter]:
    """Returns hyperparameters that matter with a form only, by names that begin with it."""
    names = {name: name if form == "auto" else f"{form}_{name}" for name in parameters}
    found = {}
    for name, each in parameters.items():
        when = {"form": (form,), **{names[parent]: of for parent, of in each.when.items()}}
        place = {"when": when, "argument": each.argument or name}
        found[names[name]] = dataclasses.replace(each, **place)
    return found


def _small_ensemble() -> dict[str, Parameter]:
    """That of the form "auto", around what it takes for tables of all sizes."""
    sizes = (None, 0, 8, 16, 24, 32)
    own: dict[str, Any] = {"also": (None,), "default": None}
    return {
        "layers": Int(1, 3, default=2, argument="hidden.layers"),
        "units": Int(64, 512, step=64, default=192, argument="hidden.units"),
        "members": Fixed(None),
        "embedding_units": Choice(sizes),
        "bins": Int(2, 128, default=48, when={"embedding_units": (None, *sizes[2:])}),
        "dropout": Float(0.0, 0.5, **own),
        "learning_rate": Float(1e-3, 3e-2, log=True, **own),
        "weight_decay": Float(1e-4, 1e-1, log=True, also=(None, 0.0), default=None),
    }


def _ensemble() -> dict[str, Parameter]:
    """That of TabM, as its authors searched it."""
    sizes = (0, 8, 12, 16, 20, 24, 28, 32)
    return {
        "layers": Int(1, 5, default=2, argument="hidden.layers"),
        "units": Int(64, 1024, step=16, default=512, argument="hidden.units"),
        "members": Fixed(None),
        "embedding_units": Choice(sizes, default=16),
        "bins": Int(2, 128, default=48, when={"embedding_units": sizes[1:]}),
        "dropout": Float(0.0, 0.5, default=0.1),
        "learning_rate": Float(1e-4, 5e-3, log=True, default=2e-3),
        "weight_decay": Float(1e-4, 1e-1, log=True, also=(0.0,), default=3e-4),
    }


def _realmlp() -> dict[str, Parameter]:
    """That of RealMLP, as its authors searched it, but for the weights of the choices."""
    return {
        "hidden": Choice(((256, 256, 256), (64, 64, 64, 64, 64), (512,))),
        "activation": Choice((None, "relu", "selu", "mish")),
        "frequency_scale": Float(0.05, 0.5, log=True, default=0.1),
        "dropout": Choice((0.15, 0.0, 0.3)),
        "learning_rate": Float(0.02, 0.3, log=True, also=(None,), default=None),
        "weight_decay": Choice((0.02, 0.0)),
    }


def _dense() -> dict[str, Parameter]:
    """That of `mlp`, as far as the form of that name has its arguments."""
    stack, rest = dense_layers(), optimization()
    kept = ("sgd_learning_rate", "lion_learning_rate", "learning_rate", "warmup", "momentum")
    return {
        "layers": stack["layers"],
        "units": stack["units"],
        "activation": Choice(("relu", "leaky_relu", "gelu", "silu", "tanh")),
        "dropout": Float(0.0, 0.5, default=0.2),
        "optimizer": rest["optimizer"],
        "schedule": rest["schedule"],
        **{name: rest[name] for name in (*kept, "weight_decay")},
    }


def smoothing(recipe: str) -> dict[str, Parameter]:
    """Returns what varies the label smoothing of a recipe, for targets of classes."""
    if recipe != "tabular":
        return {"label_smoothing": SMOOTHING}
    others = dataclasses.replace(SMOOTHING, when={"form": ("auto", "tabm", "mlp")})
    return {
        "label_smoothing": others,
        "realmlp_label_smoothing": Choice(
            (None, 0.0), when={"form": ("realmlp",)}, argument="label_smoothing"
        ),
    }


SPACES: dict[str, Callable[[], dict[str, Any]]] = {
    "cnn": cnn,
    "fine_tune": fine_tune,
    "mlp": mlp,
    "resnet": resnet,
    "rnn": rnn,
    "tabular": tabular,
    "temporal": temporal,
    "text": text,
    "transformer": transformer,
}
SMOOTHING = Float(0.0, 0.2, default=0.0)
