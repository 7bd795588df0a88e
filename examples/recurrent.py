"""A recurrent network from series to a number: how fast a noisy wave is."""

import numpy as np

import kerasrecipes as kr

rng = np.random.default_rng(0)
speed = rng.uniform(0.2, 1.0, 800)
phase = speed[:, None] * np.arange(30) + rng.uniform(0, 6, (800, 1))
x = np.sin(phase) + 0.3 * rng.normal(size=phase.shape)

rows = kr.data.split(x, speed, validation=0.2, test=0.2, seed=0)
target = kr.targets.Regression().adapt(rows.train.y)
model = kr.recipes.rnn((30,), target, units=(32,), dropout=0.1, seed=0)
model.fit(
    kr.data.batches(*rows.train, batch_size=32, seed=0),
    validation_data=rows.validation,
    epochs=12,
    verbose=0,
    callbacks=kr.callbacks.standard(patience=None),
)
print(model.evaluate(*rows.test, return_dict=True, verbose=0))
