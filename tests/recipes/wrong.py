"""Wrong values of arguments that all recipes of numbers have, and what the error says."""

import keras

EVERYWHERE = [
    ({"target": "multiclas"}, "Did you mean"),
    ({"dropout": 1.0}, "`dropout`"),
    ({"l2": -1}, "`l2`"),
    ({"preprocessing": "standard"}, "`preprocessing`"),
    ({"preprocessing": keras.layers.Normalization()}, "Call its `adapt` first"),
    ({"preprocessing": keras.layers.TextVectorization()}, "`kerasrecipes.recipes.text`"),
    ({"optimizer": "adamm"}, "Did you mean"),
    ({"optimizer": keras.optimizers.SGD(), "learning_rate": 1.0}, "finished SGD"),
    ({"learning_rate": -1.0}, "`learning_rate`"),
    ({"schedule": "cosin"}, "Did you mean 'Cosine"),
    ({"label_smoothing": 1.5}, "`label_smoothing`"),
    ({"strategy": "fast"}, "`strategy`"),
    ({"seed": 1.5}, "`seed`"),
]


def names(cases):
    """Returns a name for each case."""
    return [str(sorted(change)) + message for change, message in cases]
