import dataclasses

import numpy as np
import pytest

from kerasrecipes.finders._rules import CLIMB, Curve, smooth, suggestions

STEPS, CALM = 100, 10
RATES = np.geomspace(1e-6, 10.0, STEPS)


def bowl(*, bottom=0.5, start=2.3, best=0.05, edge=1.0, noise=0.0, seed=0):
    """Losses that fall around the rate `best`, and explode around `edge`."""
    falls = 1 / (1 + (RATES / best) ** -1.5)
    climbs = (RATES / edge) ** 4
    rng = np.random.default_rng(seed)
    return start - (start - bottom) * falls + climbs + noise * rng.normal(size=STEPS)


def curve(losses, *, smoothing=0.9):
    return Curve(RATES[: len(losses)], np.asarray(losses, "float64"), smoothing, CALM)


def independent(losses, smoothing=0.9):
    """The rules once more, from their definitions: weights in full, and loops."""
    n, b = len(losses), smoothing
    weights = np.array([[b ** (t - k) if k <= t else 0.0 for k in range(n)] for t in range(n)])
    weights /= weights.sum(1, keepdims=True)
    middle = [sorted(losses[max(0, t - 4) : t + 1]) for t in range(n)]
    middle = np.array([(m[(len(m) - 1) // 2] + m[len(m) // 2]) / 2 for m in middle])
    logs = np.array([np.log10(RATES[max(0, t - 4) : t + 1]).mean() for t in range(n)])
    s, g = weights @ middle, 10 ** (weights @ logs)
    level = sum(losses[:CALM]) / CALM
    differences = [losses[i + 1] - losses[i] for i in range(CALM - 1)]
    raw = (sum(d * d for d in differences) / len(differences) / 2) ** 0.5
    sigma = raw * (np.pi / 2 * (1 - b) / (1 + b)) ** 0.5
    rounding = 1e-4 * abs(level)
    end, diverged = n, None
    for t in range(CALM, n):
        lowest = min(level, min(s[CALM : t + 1]))
        ceiling = lowest + max(0.9 * (level - lowest), 10 * sigma, rounding)
        if s[t] > ceiling:
            begun = lowest + max(0.1 * (level - lowest), 2 * sigma, rounding)
            last = max((i for i in range(t + 1) if middle[i] <= begun), default=0)
            end, diverged = t + 1, RATES[last - 2 if last >= 4 else last // 2]
            break
    s, g = s[:end], g[:end]
    found = {} if diverged is None else {"half_of_divergence": diverged / 2}
    lowest = CALM - 1 + int(np.argmin(s[CALM - 1 :]))
    fall = level - s[lowest]
    if fall <= max(6 * sigma, rounding):
        return found
    band = max(2 * sigma, 0.05 * fall)
    left = max((i for i in range(lowest) if s[i] >= level - band), default=0)
    found["valley"] = 10 ** ((np.log10(g[left]) + np.log10(g[lowest])) / 2)
    found["minimum_over_10"] = g[lowest] / 10
    slopes = {}
    for i in range(left, lowest + 1):
        a, z = max(i - 5, 0), min(i + 5, end - 1)
        slopes[i] = (s[z] - s[a]) / (np.log(g[z]) - np.log(g[a]))
    found["steepest"] = g[min(slopes, key=slopes.get)]
    return found


def ended(losses, smoothing=0.9):
    """The package's own suggestions for the curve up to its divergence."""
    whole = curve(losses, smoothing=smoothing)
    update = whole.diverged()
    if update is None:
        return suggestions(whole, None)
    return suggestions(whole.first(update + 1), float(RATES[whole.onset(update)]))


def test_smoothing_is_a_weighted_mean_from_the_first_value_on():
    values = np.random.default_rng(0).normal(size=50)
    for b in (0.0, 0.5, 0.98):
        expected = []
        for t in range(50):
            weights = [b ** (t - k) for k in range(t + 1)]
            expected.append(np.average(values[: t + 1], weights=weights))
        np.testing.assert_allclose(smooth(values, b), expected, rtol=1e-10)
    np.testing.assert_allclose(smooth(np.full(9, 3.0), 0.98), 3.0)


def test_the_pair_of_averages_does_not_lag():
    """On a loss that is linear in log(rate), the smoothed points lie on the line itself."""
    line = 2.0 - 0.1 * np.log(RATES)
    found = curve(line)
    np.testing.assert_allclose(found.smoothed, 2.0 - 0.1 * np.log(found.smoothed_rates))
    assert found.smoothed[-1] > line[-1] + 0.1  # against the rates themselves it would


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("best", [1e-3, 0.05])
def test_suggestions_are_those_of_an_independent_computation(noise, seed, best):
    losses = bowl(noise=noise, seed=seed, best=best)
    found, expected = ended(losses), independent(losses)
    assert set(found) == set(expected)
    for name, rate in expected.items():
        np.testing.assert_allclose(found[name], rate, rtol=1e-9, err_msg=name)


def test_suggestions_are_where_the_curve_says():
    found = ended(bowl())
    assert set(found) == {"valley", "steepest", "minimum_over_10", "half_of_divergence"}
    assert 0.2 < found["half_of_divergence"] < 0.4  # a tenth of the fall is lost at 0.65
    assert 0.02 < found["steepest"] < 0.1  # the fall is steepest at 0.05
    assert 0.01 < found["minimum_over_10"] < 0.05  # the lowest loss is at 0.33
    assert 0.01 < found["valley"] < 0.2


@pytest.mark.parametrize("shift", [-2.3, -100.0, 1e3])
@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_a_constant_added_to_the_loss_changes_nothing(shift, noise):
    """fastai#962: 'four times the lowest loss' stops at once when that is negative."""
    losses = bowl(noise=noise)
    found, shifted = ended(losses), ended(losses + shift)
    assert set(found) == set(shifted)
    for name in found:
        np.testing.assert_allclose(shifted[name], found[name], rtol=1e-9)


@pytest.mark.parametrize("factor", [1e-3, 1e4])
def test_a_factor_of_the_loss_changes_nothing(factor):
    losses = bowl(noise=0.1)
    for name, rate in ended(losses).items():
        np.testing.assert_allclose(ended(losses * factor)[name], rate, rtol=1e-9)


@pytest.mark.parametrize("draw", ["standard_normal", "standard_t"])
def test_noise_alone_neither_diverges_nor_suggests(draw):
    """In 99 of 100 tests; the noise itself is known from ten losses only."""
    wrong = []
    for seed in range(400):
        draws = getattr(np.random.default_rng(seed), draw)
        found = curve(1.0 + (draws(3, size=STEPS) if draw == "standard_t" else draws(STEPS)))
        wrong.append((found.diverged() is not None, found.has_learned))
    assert (np.mean(wrong, axis=0) < 0.015).all()


@pytest.mark.parametrize("at", [15, 40, 70])
def test_one_wild_batch_is_no_divergence(at):
    losses = bowl(edge=1e3, noise=0.05)
    before = ended(losses)
    losses[at] = 1e4
    assert curve(losses).diverged() is None
    for name, rate in ended(losses).items():
        assert rate == pytest.approx(before[name], rel=0.5), name
    losses[at : at + 4] = 1e4
    assert curve(losses).diverged() is not None


@pytest.mark.parametrize("growth", [1.05, 1.3, 2.0, 10.0])
def test_the_rate_of_divergence_is_where_the_climb_begins(growth):
    """However long the loss takes from there to where it was at the start."""
    begins = 80
    losses = bowl(edge=1e6, noise=0.02)
    losses[begins:] += 0.02 * growth ** np.arange(STEPS - begins)
    losses[begins:] += 0.3 * np.arange(STEPS - begins)
    found = curve(losses)
    update = found.diverged()
    assert update > begins + 1
    assert found.onset(update) == pytest.approx(begins, abs=2)


def test_a_loss_that_only_climbs_has_diverged():
    losses = 1.0 + np.where(RATES > 0.1, RATES, 0.0)
    assert set(ended(losses)) == {"half_of_divergence"}


def test_a_flat_loss_tells_nothing():
    assert ended(np.full(STEPS, 0.7)) == {}


def test_the_ceiling_is_what_is_left_of_the_fall():
    found = curve(bowl())
    lowest = found.smoothed[found.lowest]
    assert found.ceilings[-1] == pytest.approx(lowest + CLIMB * (found.level - lowest))


def test_a_curve_of_the_first_updates_is_a_prefix():
    losses = bowl(noise=0.1)
    part = curve(losses).first(60)
    np.testing.assert_array_equal(part.smoothed, curve(losses).smoothed[:60])
    assert part.first(5).diverged() is None
    assert dataclasses.replace(part, losses=losses[:60]).level == part.level
