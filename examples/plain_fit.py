"""A recipe with plain `model.fit`: scikit-learn's digits in ten lines."""

from sklearn.datasets import load_digits

import kerasrecipes as kr

x, y = load_digits(return_X_y=True)
rows = kr.data.split(x, y, validation=0.2, test=0.2, seed=0)
scaled = kr.data.normalization(rows.train.x)
model = kr.recipes.mlp((64,), kr.targets.Multiclass(10), preprocessing=scaled, seed=0)
train = kr.data.batches(*rows.train, batch_size=32, seed=0)
callbacks = kr.callbacks.standard(patience=10)
model.fit(train, validation_data=rows.validation, epochs=30, verbose=0, callbacks=callbacks)
print(model.evaluate(*rows.test, return_dict=True, verbose=0))
