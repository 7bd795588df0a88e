"""Networks for texts."""

from collections.abc import Sequence
from typing import Any

import keras

from kerasrecipes._checks import InputError
from kerasrecipes.data.text_schema import TextSchema
from kerasrecipes.recipes._compile import compile_model, recipe
from kerasrecipes.recipes._head import head
from kerasrecipes.recipes._text_networks import NETWORKS
from kerasrecipes.recipes._text_settings import overridden, settings_of
from kerasrecipes.recipes.recipe_model import RecipeCall
from kerasrecipes.recipes.text_model import TextModel
from kerasrecipes.targets.target import Target


@recipe
def text(
    texts: Any,
    target: Target,
    *,
    form: str = "auto",
    max_tokens: int = 20_000,
    length: int | None = None,
    hidden: Sequence[int] | None = None,
    embedding_units: int | None = None,
    filters: int | None = None,
    kernel_size: Sequence[int] | None = None,
    layers: int | None = None,
    num_heads: int | None = None,
    activation: Any = None,
    dropout: float | None = None,
    optimizer: Any = "adamw",
    learning_rate: float | None = None,
    schedule: Any = None,
    clip_norm: float | str | None = 1.0,
    weight_decay: float | None = None,
    label_smoothing: float = 0.0,
    strategy: Any = None,
    fast: bool | str = "auto",
    seed: int | None = None,
    name: str = "text",
) -> TextModel:
    """Returns a compiled network for texts, which takes them raw, also after loading.

    Forms, with the reasons for their defaults in docs/text.md:
        "ngrams": dense layers on the words, pairs of words and runs of 3 to 5 characters of a
            text, each weighted by how few texts hold it.
        "cnn": word vectors, convolutions of several widths, and the largest response of each
            filter.
        "transformer": word vectors with places, pre-norm blocks of self-attention, and the mean.
        "auto": "ngrams" below 300,000 texts, else "cnn".
    What is None below is the form's own choice; `model.suggestion` tells the epochs and the batch
    size that go with it. Vectors are learnt from these texts alone. Raw texts need the TensorFlow
    backend.

    Args:
        texts: Training texts, a list, array or pandas column of str; or a
            `kerasrecipes.data.TextSchema` of them. The schema is recorded, never the texts.
        target: A target, its name, or a dict; see `kerasrecipes.targets.get`.
        form: "auto", "ngrams", "cnn" or "transformer". Defaults to "auto".
        max_tokens: Most words and pairs, and as many runs of characters, int >= 1, if `texts` is
            not a schema. Those in a single text are left out. Defaults to 20000.
        length: Words that "cnn" and "transformer" look at, from the first, int >= 1. Defaults to
            None: as many as 95 % of the training texts have, 256 at most.
        hidden: Width of each hidden layer of "ngrams", ints >= 1; () for a linear model. Defaults
            to None.
        embedding_units: Length of the word vectors of "cnn" and "transformer", int >= 1. Defaults
            to None.
        filters: Filters of each width of "cnn", int >= 1. Defaults to None.
        kernel_size: Words that the filters of "cnn" see, ints >= 1. Defaults to None.
        layers: Blocks of "transformer", int >= 1. Defaults to None.
        num_heads: Attention heads of each block, a divisor of `embedding_units`. Defaults to None.
        activation: Name, function or layer. Defaults to None.
        dropout: Rate in [0, 1), of the inputs and of each hidden layer. Defaults to None.
        optimizer: As for `mlp`. Defaults to "adamw".
        learning_rate: Peak rate, float > 0. Defaults to None: the form's for "adamw", else the
            optimizer's own.
        schedule: As for `mlp`; "constant" for none. Defaults to None.
        clip_norm: As for `mlp`. Defaults to 1.0.
        weight_decay: Decoupled decay of the kernels, float >= 0. Defaults to None, the
            optimizer's own.
        label_smoothing: Share of the label spread over all classes, in [0, 1). Defaults to 0.0.
        strategy: What to build for, as for `mlp`. Defaults to None.
        fast: As for `mlp`. Defaults to "auto".
        seed: Int for reproducible weights and dropout masks, or None.
        name: Name of the model. Defaults to "text".

    Returns: A built and compiled `TextModel`.

    Raises: InputError for an argument outside the above.

    Example:
    >>> import kerasrecipes as kr
    >>> texts = ["a good film", "a bad film", "good, very good", "bad, very bad"]
    >>> model = text(texts, kr.targets.Binary(), form="cnn", filters=4, kernel_size=(2,))
    >>> model.count_params()  # vectors for 7 numbers, filters over 2 of them, the head
    1929
    >>> model.predict(["good or bad"], verbose=0).shape
    (1, 1)

    Reference: Wang & Manning 2012, Baselines and Bigrams; Galke & Scherp 2022, arXiv:2109.03777
    (one wide layer); Kim 2014, arXiv:1408.5882 (cnn); Vaswani et al. 2017, arXiv:1706.03762;
    Zhang, Zhao & LeCun 2015, arXiv:1509.01626 (from what size on n-grams fall behind).
    """
    _check_backend()
    schema = texts
    if not isinstance(texts, TextSchema):
        schema = TextSchema.from_texts(texts, max_tokens=max_tokens)
    settings = overridden(
        settings_of(form, schema),
        {
            "length": length,
            "hidden": hidden,
            "embedding_units": embedding_units,
            "filters": filters,
            "kernel_size": kernel_size,
            "layers": layers,
            "num_heads": num_heads,
            "activation": activation,
            "dropout": dropout,
        },
    )
    inputs = keras.Input((), dtype="string", name="texts")
    x = NETWORKS[settings.form](inputs, schema, settings.network, seed)
    own = optimizer == "adamw"
    model = compile_model(
        inputs,
        head(x, target, "auto", seed=seed),
        target,
        name=name,
        optimizer=optimizer,
        learning_rate=learning_rate,
        own_rate=settings.learning_rate,
        schedule=settings.schedule if own and schedule is None else schedule,
        clip_norm=clip_norm,
        weight_decay=weight_decay,
        label_smoothing=label_smoothing,
        kind=TextModel,
        fast=fast,
    )
    model.recipe = RecipeCall("text", {"texts": schema})
    return model  # type: ignore[return-value]


def _check_backend() -> None:
    if keras.config.backend() != "tensorflow":
        raise InputError(
            "`texts` must be turned into numbers before the model on the backend "
            f"{keras.config.backend()!r}: strings inside a model need TensorFlow's. Use "
            "`kerasrecipes.data.vectorization` and `kerasrecipes.recipes.mlp`."
        )
