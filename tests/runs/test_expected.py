"""The shipped recipes come to the results that they promise."""

import pytest

from kerasrecipes import _recipe_files, runs


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(_recipe_files.shipped()))
def test_a_shipped_recipe_reaches_its_expected_result(name, tmp_path):
    expected = dict(runs.read(name).expect)
    tolerance = expected.pop("tolerance")
    found = runs.train(name, out=tmp_path, quiet=True).test
    assert expected
    for metric, value in expected.items():
        assert found[metric.removeprefix("test_")] == pytest.approx(value, abs=tolerance)
