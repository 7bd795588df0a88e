"""The faults of KERAS-DEFECTS.md, table Data and reproducibility, as far as they are mended."""

import keras
import numpy as np

import kerasrecipes as kr


def decayed_after_loading(optimizer, tmp_path):
    """Returns which weights decay alone moves, once the model was saved and loaded."""
    layers = [keras.Input((3,)), keras.layers.Dense(4), keras.layers.BatchNormalization()]
    model = keras.Sequential(layers)
    model.compile(optimizer, "mse")
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for weight in loaded.trainable_variables:
        weight.assign(np.ones(weight.shape))
    loaded.optimizer.apply([np.zeros(w.shape, "float32") for w in loaded.trainable_variables])
    return [w.name for w in loaded.trainable_variables if w.numpy().min() < 1]


def test_r4_decay_exclusion_survives_loading(tmp_path):
    plain = keras.optimizers.AdamW(0.1, weight_decay=0.5)
    plain.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    assert "bias" in decayed_after_loading(plain, tmp_path), "Keras mended R4"
    ours = kr.optimizers.AdamW(0.1, weight_decay=0.5)
    assert decayed_after_loading(ours, tmp_path) == ["kernel"]
