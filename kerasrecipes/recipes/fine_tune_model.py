"""FineTuneModel."""

import inspect
from typing import Any, Self

import keras

from kerasrecipes._checks import check_int
from kerasrecipes._export import export
from kerasrecipes.callbacks.gradual_unfreeze import GradualUnfreeze
from kerasrecipes.recipes._backbones import freeze_normalization
from kerasrecipes.recipes.recipe_model import RecipeModel

UNFREEZE = ("gradual", "all", "head")
HEAD = r"^head(_norm)?$"


@export("models")
class FineTuneModel(RecipeModel):
    """The model that `fine_tune` returns: `fit` unfreezes its backbone group by group.

    `fit` adds `unfreezing(epochs)` to its callbacks, if the recipe was called with
    `unfreeze="gradual"` and there is no `kerasrecipes.callbacks.GradualUnfreeze` among them.

    Args:
        inputs: Symbolic inputs, as for `keras.Model`.
        outputs: Symbolic outputs, as for `keras.Model`.
        **kwargs: As for `RecipeModel`.

    Example:
    >>> import keras
    >>> import kerasrecipes as kr
    >>> layers = [keras.layers.Dense(4, name=name) for name in ("low", "middle", "high")]
    >>> backbone = keras.Sequential([keras.Input((3,)), *layers])
    >>> model = kr.recipes.fine_tune(backbone, "binary", groups=3)
    >>> {epoch: len(patterns) for epoch, patterns in model.unfreezing(12).epochs.items()}
    {0: 1, 2: 1, 4: 1, 6: 1}
    """

    def unfreezing(self, epochs: int) -> GradualUnfreeze:
        """Returns the callback for a fit of so many epochs.

        Group k of G joins at epoch `k * epochs // (2 * G)`, the head at epoch 0; groups that
        would join when the fit is over never do.
        """
        check_int("epochs", epochs, low=1)
        groups = [] if self.recipe is None else self.recipe.arguments["groups"]
        joining: dict[int, list[str]] = {0: [HEAD]}
        for index, patterns in enumerate(groups, start=1):
            epoch = max(index * epochs // (2 * len(groups)), 1)
            joining.setdefault(epoch, []).extend(patterns)
        return GradualUnfreeze(joining)

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Trains as `RecipeModel.fit` does, and unfreezes."""
        given = dict(inspect.signature(keras.Model.fit).bind(self, *args, **kwargs).arguments)
        del given["self"]
        callbacks = given.get("callbacks")
        if not self._unfreezes() or isinstance(callbacks, keras.callbacks.CallbackList):
            return super().fit(**given)
        callbacks = keras.tree.flatten(callbacks or [])
        if not any(isinstance(each, GradualUnfreeze) for each in callbacks):
            callbacks = [*callbacks, self.unfreezing(given.get("epochs", 1))]
        return super().fit(**{**given, "callbacks": callbacks})

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """Returns the model that `get_config` described, with its layers as frozen as they were."""
        model = super().from_config(config, custom_objects=custom_objects)
        # Keras keeps `trainable` of outer layers only, not of those that a block has inside.
        if model.recipe is not None and model.recipe.arguments["freeze_normalization"]:
            for backbone in model.layers:
                if isinstance(backbone, keras.Model):
                    freeze_normalization(backbone)
        return model

    def _unfreezes(self) -> bool:
        return self.recipe is not None and self.recipe.arguments["unfreeze"] == "gradual"
