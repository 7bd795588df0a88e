"""RandomSearch."""

from keras_tuner.oracles import RandomSearchOracle

from kerasrecipes._export import export
from kerasrecipes.tuning.oracles._safe_oracle import SafeOracle


@export("oracles", "random", saved=False)
class RandomSearch(SafeOracle, RandomSearchOracle):
    """Independent random values, uniform on the scale (linear, log) of each hyperparameter.

    Takes the arguments of KerasTuner's oracle, and `fingerprint`; `get` describes them. Nothing is
    tried twice: a space of N combinations is exhausted by N trials.

    Example:
    >>> import keras_tuner
    >>> hp = keras_tuner.HyperParameters()
    >>> _ = hp.Choice("activation", ["relu", "selu"])
    >>> oracle = RandomSearch("val_loss", max_trials=9, hyperparameters=hp, seed=0)
    >>> trials = [oracle.create_trial(f"worker {i}") for i in range(3)]
    >>> [trial.status for trial in trials]
    ['RUNNING', 'RUNNING', 'STOPPED']
    >>> sorted(trial.hyperparameters["activation"] for trial in trials[:2])
    ['relu', 'selu']

    Reference: Bergstra & Bengio 2012, JMLR 13:281-305.
    """
