"""A network that knows the ten digits learns from forty pictures which of them are even."""

import keras
from sklearn.datasets import load_digits

import kerasrecipes as kr

images, y = load_digits(return_X_y=True)
images = (images.reshape(-1, 8, 8, 1) / 16).astype("float32")
known, few, test = slice(0, 1000), slice(1000, 1040), slice(1040, None)

trained = kr.recipes.cnn((8, 8, 1), kr.targets.Multiclass(10), filters=(16, 32, 64), seed=0)
trained.fit(kr.data.batches(images[known], y[known], batch_size=32, seed=0), epochs=8, verbose=0)

even = kr.targets.Binary(["odd", "even"])
data = kr.data.batches(images[few], 1 - y[few] % 2, batch_size=8, seed=0)
tuned = kr.recipes.fine_tune(trained, even, groups=2, seed=0)
print("groups:", tuned.recipe.arguments["groups"])
print("they join at epochs", sorted(tuned.unfreezing(10).epochs)[1:])
scratch = kr.recipes.cnn((8, 8, 1), even, filters=(16, 32, 64), seed=0)
for model in (tuned, scratch):
    keras.utils.set_random_seed(0)
    model.fit(data, epochs=10, verbose=0)
    scores = model.evaluate(images[test], 1 - y[test] % 2, return_dict=True, verbose=0)
    print(f"{model.name}: accuracy {scores['accuracy']:.3f} from 40 pictures")
