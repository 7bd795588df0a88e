"""Each rule has curves that trigger it, and curves that must not."""

import numpy as np
import pytest

from kerasrecipes.diagnosis.diagnose import RULES, diagnose

GUESS = float(np.log(10))
RNG = np.random.default_rng(0)


def falling(epochs=40, *, begin=GUESS, end=0.05, pace=6.0):
    """An exponential fall from `begin` to nearly `end`."""
    return end + (begin - end) * np.exp(-pace * np.arange(epochs) / epochs)


def scattered(curve, size, seed=0):
    return curve + size * np.random.default_rng(seed).normal(size=len(curve))


def history(loss, val_loss=None, rate=1e-3, **others):
    """Curves as `standard()` leaves them; a healthy gap where no validation is given."""
    loss = np.asarray(loss, float)
    gap = 0.1 * (1 - loss / loss[0]) if val_loss is None else 0.0
    validation = loss + gap if val_loss is None else np.asarray(val_loss, float)
    rates = np.broadcast_to(rate, loss.shape)
    found = {"loss": loss, "val_loss": validation, "learning_rate": rates, **others}
    return {name: list(map(float, values)) for name, values in found.items()}


def cosine(epochs=40):
    return 1e-3 * (1 + np.cos(np.pi * np.arange(1, epochs + 1) / epochs)) / 2


HEALTHY = {
    "a plain one": history(falling(pace=12.0)),
    "with a little noise": history(scattered(falling(pace=12.0), 0.01)),
    "with a cosine": history(falling(), rate=cosine()),
    "without noise at its end": history(falling(60, pace=20.0)),
}
U = np.concatenate([falling(20, end=0.5), 0.5 + 0.03 * np.arange(20)])
NOISY = scattered(np.full(40, 0.8), 0.25)
CLIPPED = {"clipped_fraction": np.full(40, 0.8), "gradient_norm": np.full(40, 3.0)}
LAYERS = {
    "gradient_norm/hidden_1": np.full(40, 1e-6),
    "gradient_norm/hidden_2": np.full(40, 1e-3),
    "gradient_norm/head": np.full(40, 1.0),
}

DROPPED = [
    *(1.325, 1.342, 1.372, 1.396, 1.398, 1.356, 1.372, 1.299, 1.334, 1.256),
    *(1.285, 1.196, 1.267, 1.321, 1.268, 1.322, 1.179, 1.256, 1.192, 1.29),
    *(1.118, 1.258, 1.424, 1.236, 1.256, 1.289, 1.163, 1.136, 1.242, 1.135),
]
HALF_DROPPED = [  # recipes.mlp on the wine data with a dropout of 0.9
    *(2.526, 2.312, 2.561, 2.446, 2.113, 2.292, 2.757, 2.678, 2.365, 2.555, 2.32, 1.898, 2.242),
    *(2.258, 2.324, 2.208, 2.01, 1.703, 2.099, 2.389, 2.329, 2.146, 1.902, 2.149, 2.12, 1.849),
]
FITTED = [  # recipes.mlp on the diabetes data, without dropout and early stopping
    *(1.072, 0.62, 0.472, 0.38, 0.327, 0.272, 0.237, 0.217, 0.244, 0.23, 0.244, 0.224, 0.179),
    *(0.228, 0.235, 0.171, 0.171, 0.176, 0.163, 0.181, 0.15, 0.179, 0.169, 0.192, 0.177, 0.155),
    *(0.159, 0.159, 0.172, 0.118, 0.158, 0.138, 0.139, 0.115, 0.16, 0.103, 0.152, 0.13, 0.133),
    *(0.142, 0.166, 0.143, 0.163, 0.105, 0.128, 0.103, 0.094, 0.121, 0.122, 0.116, 0.1, 0.098),
    *(0.119, 0.146, 0.119, 0.098, 0.105, 0.092, 0.099, 0.107),
]
OVERFITTED = [
    *(0.827, 0.64, 0.604, 0.58, 0.692, 0.595, 0.705, 0.75, 0.709, 0.98, 0.905, 0.819, 0.832),
    *(0.904, 0.693, 0.78, 0.908, 0.825, 0.713, 0.78, 0.882, 0.781, 1.222, 0.932, 0.809, 0.861),
    *(0.783, 0.79, 0.746, 0.857, 0.845, 0.7, 0.71, 0.803, 0.989, 0.799, 0.912, 0.808, 1.022),
    *(0.849, 0.804, 0.962, 0.894, 0.652, 0.804, 0.786, 0.714, 0.768, 0.739, 0.848, 0.721, 0.773),
    *(0.835, 0.792, 0.793, 0.706, 0.949, 0.86, 0.709, 0.764),
]
CREEPING = [
    *(1.116, 1.088, 1.062, 1.041, 1.025, 1.007, 0.992, 0.981, 0.975, 0.97),
    *(0.965, 0.961, 0.959, 0.957, 0.954, 0.952, 0.951, 0.947, 0.946, 0.944),
    *(0.941, 0.94, 0.939, 0.936, 0.935, 0.931, 0.929, 0.924, 0.923, 0.921),
]

TRIGGER = {
    "divergence": {
        "not a number": (history([2.3, 2.0, np.nan, np.nan]), {}),
        "infinite validation": (history([2.3, 2.0, 1.9], [2.3, np.inf, 2.0]), {}),
        "growth": (history([2.3, 3.0, 9.0, 40.0, 300.0]), {}),
        "from the first epoch": (history([np.nan]), {}),
    },
    "no_validation": {"none": ({"loss": [1.0, 0.5], "accuracy": [0.5, 0.7]}, {})},
    "zig_zag": {
        "large": (history(scattered(falling(end=0.5, pace=12.0), 0.25)), {}),
        "up and down": (history(falling() + 0.2 * (-1.0) ** np.arange(40)), {"batch_size": 8}),
    },
    "rate_too_high": {
        "a jump": (history(np.where(np.arange(40) == 25, 2.0, falling())), {}),
        "a rise": (history(np.concatenate([falling(20), 0.1 + 0.05 * np.arange(20)])), {}),
        "large updates": (history(falling(), update_ratio=np.full(40, 0.1)), {}),
    },
    "rate_too_low": {
        "steady": (history(GUESS - 0.01 * np.arange(40)), {}),
        # recipes.mlp on the wine data at 3e-6: a validation loss that creeps, under dropout
        "creeps": (history(DROPPED, CREEPING, rate=3e-6), {"guess_loss": float(np.log(3))}),
        "tiny updates": (history(falling(begin=2.3, end=2.0), update_ratio=np.full(40, 1e-7)), {}),
    },
    "stopped_too_early": {
        "still falling": (history(falling(pace=2.0)), {"epochs": 40}),
        "length not known": (history(falling(pace=2.0)), {}),
        "without validation": ({"loss": list(falling(pace=2.0))}, {}),
    },
    "trained_too_long": {
        "flat after": (history(falling(50), np.r_[1.0, 0.9, 0.8, np.full(47, 0.9)]), {}),
        "first is best": (history(falling(30), np.r_[0.5, np.full(29, 0.6)]), {}),
    },
    "underfitting": {
        "nothing": (history(scattered(np.full(40, 2.29), 0.003)), {}),
        "little": (history(falling(end=1.9, pace=12.0)), {}),
    },
    "overfitting": {
        "u": (history(falling(40, pace=8.0), U), {}),
        "kept": (history(falling(40, pace=8.0), U), {"best_epoch": 20}),
        "in noise": (history(FITTED, OVERFITTED), {"guess_loss": 1.0}),
        "slowly": (history(falling(end=0.01), scattered(U, 0.02)), {}),
    },
    "gap_too_large": {
        "loss": (history(falling(end=0.05), falling(end=1.4, pace=12.0)), {}),
        "accuracy": (
            history(
                falling(),
                accuracy=np.linspace(0.1, 0.99, 40),
                val_accuracy=np.linspace(0.1, 0.8, 40),
            ),
            {"validation_rows": 500},
        ),
    },
    "gap_too_small": {
        "equal": (history(falling(end=1.0, pace=12.0), falling(end=1.0, pace=12.0)), {}),
        "below": (history(falling(end=1.5, pace=12.0), falling(end=1.0, pace=12.0)), {}),
    },
    "plateau_without_decay": {
        "flat": (history(falling(60, end=0.8, pace=30.0)), {}),
        "flat with noise": (history(scattered(falling(60, end=0.8, pace=30.0), 0.02)), {}),
    },
    "clipped_gradients": {"most": (history(falling(), **CLIPPED), {})},
    "vanishing_gradients": {
        "vanish": (history(falling(), **LAYERS), {}),
        "explode": (
            history(falling(), **dict(zip(LAYERS, [*LAYERS.values()][::-1], strict=True))),
            {},
        ),
    },
    "dead_units": {
        "half": (history(falling(), **{"dead_fraction/hidden_1": np.full(40, 0.5)}), {})
    },
    "noisy_validation": {
        "few rows": (
            history(falling(), accuracy=np.full(40, 0.9), val_accuracy=np.full(40, 0.9)),
            {"validation_rows": 40},
        ),
        "scatter": (history(falling(end=0.4), NOISY), {}),
    },
}

SILENT = {
    "divergence": {
        "a jump that comes back": history([2.3, 5.0, 2.0, 1.0]),
        "negative": history([-1.0, -2.0, -3.0], [-1.0, -1.5, -2.0]),
    },
    "no_validation": {"an accuracy": {"loss": [1.0, 0.5], "val_accuracy": [0.5, 0.7]}},
    "zig_zag": {
        "a slow wave": history(falling(end=0.5) + 0.3 * np.sin(np.arange(40) / 6)),
        "little": history(scattered(falling(), 0.02)),
    },
    "rate_too_high": {
        "a restart": history(
            np.where(np.arange(40) >= 20, 0.1 + 1.5 * np.exp(-(np.arange(40) - 20)), falling()),
            rate=np.where(np.arange(40) == 20, 1e-2, 1e-3),
        ),
        "dropout scatters": history(HALF_DROPPED, np.linspace(1.0, 0.9, 26)),
        "usual updates": history(falling(), update_ratio=np.full(40, 1e-3)),
        "overfitting": history(falling(40, pace=8.0), U),
    },
    "rate_too_low": {
        "creeps, as the rate was meant to": history(
            np.r_[DROPPED, [1.3] * 10], np.linspace(2.2, 1.9, 40), rate=cosine()
        ),
        "a warm-up": history(GUESS - 0.01 * np.arange(40), rate=np.linspace(1e-5, 1e-3, 40)),
        "a fall that is nearly over": history(np.linspace(GUESS, 0.1, 40)),
        "learned nothing": history(scattered(np.full(40, 2.29), 0.003)),
    },
    "stopped_too_early": {
        "the rate is used up": history(falling(pace=2.0), rate=cosine()),
        "flat at the end": history(falling(pace=12.0)),
    },
    "trained_too_long": {
        "best at the end": history(falling(40)),
        "best in the middle": history(falling(30), np.r_[falling(10), np.full(20, 1.0)]),
    },
    "underfitting": {"learned half": history(falling(end=1.0, pace=12.0))},
    "overfitting": {
        "flat": history(falling(40), falling(40, end=0.5, pace=12.0)),
        "both rise": history(np.r_[falling(20), 0.1 + 0.05 * np.arange(20)], U),
        "a bump": history(falling(40), falling(40, end=0.4) + 0.2 * (np.arange(40) == 30)),
    },
    "gap_too_large": {"some": history(falling(end=0.05), falling(end=0.6, pace=12.0))},
    "gap_too_small": {
        "all learned": history(falling(end=0.01), falling(end=0.01)),
        "a gap": history(falling(end=1.0, pace=12.0), falling(end=1.2, pace=12.0)),
    },
    "plateau_without_decay": {
        "decayed": history(falling(60, end=0.8, pace=30.0), rate=cosine(60)),
        "cut": history(
            falling(60, end=0.8, pace=30.0), rate=np.where(np.arange(60) > 40, 1e-4, 1e-3)
        ),
        "learned": history(falling(60, end=0.01, pace=30.0)),
        "still falling": history(falling(60, pace=3.0)),
    },
    "clipped_gradients": {
        "none at the end": history(falling(), clipped_fraction=np.linspace(1.0, 0.0, 40)),
        "some": history(falling(), clipped_fraction=np.full(40, 0.3)),
    },
    "vanishing_gradients": {
        "even": history(falling(), **{name: np.full(40, 0.1) for name in LAYERS})
    },
    "dead_units": {"few": history(falling(), **{"dead_fraction/hidden_1": np.full(40, 0.1)})},
    "noisy_validation": {
        "both scatter": history(scattered(falling(), 0.2, 0), scattered(falling(), 0.2, 1)),
    },
}


def cases(table):
    return [(rule, name) for rule, found in table.items() for name in found]


@pytest.mark.parametrize(("rule", "name"), cases(TRIGGER))
def test_curves_that_trigger(rule, name):
    curves, known = TRIGGER[rule][name]
    found = diagnose(curves, **{"guess_loss": GUESS, **known})
    assert rule in found, str(found)
    finding = found[rule]
    assert finding.evidence.endswith(".")
    assert len(finding.remedy) > 20
    assert rule == "no_validation" or any(sign.isdigit() for sign in finding.evidence)
    assert all(isinstance(value, (int, float)) for value in finding.numbers.values())


@pytest.mark.parametrize(("rule", "name"), cases(SILENT))
def test_curves_that_must_not(rule, name):
    found = diagnose(SILENT[rule][name], guess_loss=GUESS, rules=[rule])
    assert found.findings == (), str(found)
    assert rule not in found.not_judged["history"] or rule == "stopped_too_early", str(found)


@pytest.mark.parametrize("name", HEALTHY)
@pytest.mark.parametrize("guess", [GUESS, None])
def test_a_healthy_training_has_no_finding(name, guess):
    found = diagnose(HEALTHY[name], guess_loss=guess, validation_rows=5000)
    assert found.findings == (), str(found)
    assert found.healthy


@pytest.mark.parametrize("factor", [1e-3, 1e3])
@pytest.mark.parametrize(("rule", "name"), cases(TRIGGER))
def test_the_unit_of_the_loss_does_not_matter(rule, name, factor):
    curves, known = TRIGGER[rule][name]
    scaled = {n: [factor * v for v in values] for n, values in curves.items() if "loss" in n}
    guess = factor * known.get("guess_loss", GUESS)
    found = diagnose({**curves, **scaled}, **{**known, "guess_loss": guess})
    assert rule in found, str(found)


def test_numbers_that_burst_stay_readable():
    burst = history([1.5e10, 7.4e28, 3.0, 1.2, 1.1], [1.1] * 5)
    burst |= {"gradient_norm/a": [0.0] * 5, "gradient_norm/b": [0.3] * 5}
    found = diagnose(burst, guess_loss=GUESS)
    assert max(map(len, str(found).split())) < 40
    assert "inf" not in found["vanishing_gradients"].evidence.split()


def test_every_rule_is_tested():
    single = [rule.name for rule in RULES if not rule.several]
    assert sorted(TRIGGER) == sorted(SILENT) == sorted(single)


def test_rules_come_after_what_explains_them():
    names = [rule.name for rule in RULES]
    for rule in RULES:
        assert all(names.index(cause) < names.index(rule.name) for cause in rule.unless)


def test_when_overfitting_began_and_that_best_weights_do_no_harm():
    curves = history(falling(40, pace=8.0), U)
    found = diagnose(curves, guess_loss=GUESS)["overfitting"]
    assert 18 <= found.epoch <= 23
    assert found.severity == "warning"
    kept = diagnose(curves, guess_loss=GUESS, best_epoch=21)["overfitting"]
    assert kept.severity == "note"
    assert "best weights came back" in kept.remedy


def test_noise_that_stays_level_is_no_overfitting():
    fired = sum(
        "overfitting"
        in diagnose(history(falling(60, end=0.1), scattered(np.full(60, 0.8), 0.1, seed)))
        for seed in range(200)
    )
    assert fired <= 10  # one in twenty


def test_one_advice_does_not_contradict_another():
    below = history(falling(40, begin=2.3, end=1.1), np.r_[falling(20, end=1.0), U[20:] + 0.6])
    found = diagnose(below, guess_loss=GUESS, best_epoch=20)
    assert "overfitting" in found
    assert "gap_too_small" not in found


def test_clipping_that_did_no_harm_is_a_note():
    clipped = {"clipped_fraction": np.full(40, 1.0)}
    for guess in (GUESS, None):
        learned = diagnose(history(falling(), **clipped), guess_loss=guess)
        assert learned["clipped_gradients"].severity == "note"
        not_learned = diagnose(history(falling(end=1.9), **clipped), guess_loss=guess)
        assert not_learned["clipped_gradients"].severity == "warning"


def test_advice_has_the_numbers_at_hand():
    curves, known = TRIGGER["zig_zag"]["up and down"]
    assert "from 8 to 32" in diagnose(curves, **known)["zig_zag"].remedy
    assert "6" in diagnose(history(falling(), **CLIPPED))["clipped_gradients"].remedy
    few = TRIGGER["noisy_validation"]["few rows"]
    found = diagnose(few[0], **few[1])["noisy_validation"]
    assert found.numbers["standard_error"] == pytest.approx(np.sqrt(0.9 * 0.1 / 40))
    assert "4.7 points" in found.evidence
    late = diagnose(history(falling(pace=2.0)), epochs=40)["stopped_too_early"]
    assert "80 epochs" in late.remedy


def test_the_error_of_a_mean_square_follows_from_the_rows():
    rng = np.random.default_rng(0)
    rows = 50
    means = (rng.normal(size=(4000, rows)) ** 2).mean(axis=1)
    from kerasrecipes.diagnosis import RunRecord

    run = RunRecord("r", history(falling()), target="regression", validation_rows=rows)
    found = diagnose(run)["noisy_validation"].numbers
    assert found["standard_error"] / found["value"] == pytest.approx(means.std(), rel=0.05)


def test_a_penalty_is_no_loss_of_the_data():
    loss = falling(end=0.05, pace=12.0)
    penalty = np.full(40, 5.0)
    curves = history(loss, loss + 0.1)
    heavy = {n: [v + 5.0 for v in curves[n]] for n in ("loss", "val_loss")}
    found = diagnose({**curves, **heavy, "penalty": penalty.tolist()}, guess_loss=GUESS)
    assert "underfitting" not in found
    assert "underfitting" in diagnose({**curves, **heavy}, guess_loss=GUESS)


def seeds(*ends):
    return [history(falling(end=end, pace=12.0)) for end in ends]


def test_unstable_seeds():
    found = diagnose(seeds(0.1, 0.5, 1.2), guess_loss=GUESS)
    assert "unstable_seeds" in found
    numbers = found["unstable_seeds"].numbers
    best = [min(run.validation) for run in found.runs]
    assert numbers["mean"] == pytest.approx(np.mean(best))
    assert numbers["deviation"] == pytest.approx(np.std(best, ddof=1))
    assert found["unstable_seeds"].run == ""


def test_stable_seeds_and_other_recipes_are_silent():
    assert "unstable_seeds" not in diagnose(seeds(0.50, 0.51, 0.49), guess_loss=GUESS)
    from kerasrecipes.diagnosis import RunRecord

    runs = [
        RunRecord("a", seeds(0.1)[0], recipe={"seed": 0, "model": {"hidden": [8]}}),
        RunRecord("b", seeds(1.2)[0], recipe={"seed": 1, "model": {"hidden": [9]}}),
    ]
    found = diagnose(runs)
    assert "unstable_seeds" not in found
    assert "more than the seed" in found.not_judged[""]["unstable_seeds"]


def test_a_seed_that_diverges_is_named():
    found = diagnose([*seeds(0.1, 0.1), history([2.0, np.nan], [np.nan, np.nan])])
    assert "1 of 3 runs diverged: history 3" in found["unstable_seeds"].evidence
