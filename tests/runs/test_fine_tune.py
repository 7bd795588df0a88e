"""Recipe files that name a trained network."""

import shutil

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes import _recipe_files, runs
from kerasrecipes.runs.prepare import prepare

pytestmark = pytest.mark.usefixtures("plain_pictures")
RNG = np.random.default_rng(0)
NETWORK = "ten-digits.keras"


@pytest.fixture
def folder(tmp_path):
    """A folder with a recipe file, its data and its network."""
    source = _recipe_files.find("digits-fine-tune")
    for name in (source.name, NETWORK, "even-digits.npz"):
        shutil.copyfile(source.parent / name, tmp_path / name)
    return tmp_path


def built(folder, *overrides):
    return prepare(runs.read(folder / "digits-fine-tune.toml", overrides=list(overrides)))


def features(model):
    network = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    return [keras.ops.convert_to_numpy(each) for each in network.weights]


@pytest.mark.slow
def test_a_network_beside_the_file_is_trained_on_and_again_from_the_run(folder, monkeypatch):
    monkeypatch.chdir(folder)
    run = runs.train(folder / "digits-fine-tune.toml", overrides=["fit.epochs=2"], quiet=True)
    kept = runs.read(run.folder / "recipe.toml")
    assert kept.model["backbone"] == str((folder / NETWORK).resolve())
    again = runs.train(run.folder / "recipe.toml", quiet=True)
    assert again.test == pytest.approx(run.test, abs=1e-6)
    assert not runs.evaluate(run.folder).differences


def test_the_weights_are_those_of_the_network(folder):
    network = keras.saving.load_model(folder / NETWORK)
    expected = [keras.ops.convert_to_numpy(each) for each in network.weights]
    for one, other in zip(features(built(folder).model), expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_folder_of_a_run_stands_for_its_model(folder, monkeypatch):
    file, out = folder / "digits-fine-tune.toml", folder / "runs"
    run = runs.train(file, overrides=["fit.epochs=1"], out=out, quiet=True)
    monkeypatch.chdir(run.folder.parent)
    for path in (str(run.folder), run.folder.name):
        prepared = built(folder, f'model.backbone="{path}"')
        assert prepared.recipe.model["backbone"] == str((run.folder / "model.keras").resolve())
        assert prepared.model.recipe.arguments["backbone"] == "fine_tune"


def test_a_name_gets_the_shape_of_the_pictures(folder):
    pictures = RNG.integers(0, 255, (20, 32, 32, 3)).astype("uint8")
    np.savez(folder / "even-digits.npz", x=pictures, y=np.arange(20) % 2)
    shares = ["split.validation=0.2", "split.test=0.2"]
    model = built(folder, "model.backbone=MobileNetV2", *shares).model
    assert model.input_shape == (None, 32, 32, 3)
    assert model.recipe.arguments["backbone"] == "MobileNetV2"
    low, high = (model.layers[1](np.full((1, 1, 1, 3), v, "float32")) for v in (0.0, 255.0))
    assert float(keras.ops.max(low)) == pytest.approx(-1)
    assert float(keras.ops.max(high)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.backbone=none.keras", "`backbone` must be the path of a file that exists"),
        ("model.backbone=MobileNetV9", "Did you mean 'MobileNetV2'"),
        ("model.weights=/none.h5", "`weights` must be a file that exists"),
        ("preprocessing.scale=standard", "scale.*is an unknown key"),
    ],
)
def test_what_is_wrong_is_said_before_training(folder, override, message):
    with pytest.raises(runs.RecipeError, match=message):
        built(folder, override)


def test_a_file_without_a_network_is_refused(folder):
    path = folder / "digits-fine-tune.toml"
    text = path.read_text("utf-8").replace(f'backbone = "{NETWORK}"', "")
    path.write_text(text, "utf-8")
    with pytest.raises(runs.RecipeError, match="model: lacks 'backbone'"):
        built(folder)


def test_pictures_may_be_prepared_as_those_of_the_network_were(folder):
    model = built(folder, "preprocessing.scaling=rescale").model
    assert any("rescaling" in layer.name for layer in model.layers), model.layers


@pytest.mark.slow
@pytest.mark.parametrize("scaled", [False, True])
def test_a_search(folder, scaled):
    overrides = ["tune.trials=2", "fit.epochs=2", "preprocessing.scaling=standard"]
    file = folder / "digits-fine-tune.toml"
    out = folder / "searches"
    result = runs.tune(file, overrides=overrides[: 2 + scaled], out=out, quiet=True)
    assert [record.status for record in result.search.records] == ["completed"] * 2
    found = runs.read(result.folder / "best.toml")
    assert found.model["backbone"] == str((folder / NETWORK).resolve())
    layers = [layer.name for layer in result.search.model.layers]
    assert any("normalization" in name for name in layers) is scaled


class Layers(keras.callbacks.Callback):
    """Notes the layers of each model that is trained."""

    def __init__(self, found):
        super().__init__()
        self.found = found

    def on_train_begin(self, logs=None):
        self.found.append([type(layer).__name__ for layer in self.model.layers])


def tiny(*, include_top, weights, input_shape):
    layers = [keras.layers.Conv2D(2, 3), keras.layers.GlobalAveragePooling2D()]
    return keras.Sequential([keras.Input(input_shape), *layers])


@pytest.mark.parametrize("preprocessing", [None, lambda rows: kr.data.normalization(rows)])
def test_rows_are_prepared_once(tmp_path, monkeypatch, preprocessing):
    """By what the network of a name expects, or as is asked for."""
    monkeypatch.setattr(keras.applications, "MobileNetV2", tiny)
    x, y = RNG.random((60, 8, 8, 1)).astype("float32"), np.arange(60) % 2
    space = kr.tuning.space("fine_tune", "binary").fix(backbone="MobileNetV2", unfreeze="all")
    found = []
    result = kr.tuning.search(
        "fine_tune",
        (8, 8, 1),
        "binary",
        (x, y),
        space=space,
        preprocessing=preprocessing,
        callbacks=lambda: [Layers(found)],
        trials=1,
        epochs=1,
        directory=tmp_path / "search",
        quiet=True,
    )
    refit = [type(layer).__name__ for layer in result.model.layers]
    own = preprocessing is None
    assert [("Rescaling" in layers) for layers in (*found, refit)] == [own, own]
    assert not any("Normalization" in layers for layers in found)
    assert ("Normalization" in refit) is not own


@pytest.mark.parametrize("changes", [False, True])
def test_a_search_goes_on_with_the_network_it_began_with_only(tmp_path, changes):
    network = tmp_path / "network.keras"
    tiny(include_top=False, weights=None, input_shape=(8, 8, 1)).save(network)
    x, y = RNG.random((60, 8, 8, 1)).astype("float32"), np.arange(60) % 2
    arguments = {
        "space": kr.tuning.space("fine_tune", "binary").fix(backbone=str(network)),
        "epochs": 1,
        "directory": tmp_path / "search",
        "refit": False,
        "quiet": True,
    }
    kr.tuning.search("fine_tune", None, "binary", (x, y), trials=1, **arguments)
    if not changes:
        again = kr.tuning.search("fine_tune", None, "binary", (x, y), trials=2, **arguments)
        assert len(again.records) == 2
        return
    tiny(include_top=False, weights=None, input_shape=(8, 8, 1)).save(network)
    with pytest.raises(kr.InputError, match="files"):
        kr.tuning.search("fine_tune", None, "binary", (x, y), trials=2, **arguments)
