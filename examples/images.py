"""Images with a convolutional and a residual network: scikit-learn's digits, 8 x 8 pixels."""

import pathlib
import tempfile

import keras
from sklearn.datasets import load_digits

import kerasrecipes as kr

images, y = load_digits(return_X_y=True)
images = images.reshape(-1, 8, 8, 1)
rows = kr.data.split(images, y, validation=0.15, test=0.25, stratify=True, seed=0)
scaled = kr.data.normalization(rows.train.x, axis=None)  # one scale for all pixels
options = {"preprocessing": scaled, "rows": len(rows.train.x), "seed": 0}

plain = kr.recipes.cnn((8, 8, 1), kr.targets.Multiclass(10), **options)
residual = kr.recipes.resnet(
    (8, 8, 1), kr.targets.Multiclass(10), squeeze_excite=8, stochastic_depth=0.1, **options
)
for model in (plain, residual):
    model.fit(
        kr.data.batches(*rows.train, batch_size=32, seed=0),
        validation_data=rows.validation,
        epochs=10,
        verbose=0,
        callbacks=kr.callbacks.standard(patience=None, progress=False),
    )
    scores = model.evaluate(*rows.test, return_dict=True, verbose=0)
    print(f"{model.name}: {model.count_params():,} parameters, accuracy {scores['accuracy']:.3f}")

path = pathlib.Path(tempfile.mkdtemp()) / "digits.keras"
plain.save(path)
print(keras.saving.load_model(path).predict(rows.test.x[:3], verbose=0).argmax(axis=1))
