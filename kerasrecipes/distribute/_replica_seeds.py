"""Random numbers that differ between the replicas of a strategy."""

from typing import Any

import keras

from kerasrecipes._find import find

_STRIDE = 0x9E3779B9  # a large odd number, so that no two replicas get near seeds


def give_own_seeds(model: keras.Model) -> None:
    """Lets each replica draw masks and noise of its own in every layer of the model (D7).

    All replicas hold the same state of a `SeedGenerator`. The seed that it gives, two words
    (a, b), becomes (a + r * 0x9E3779B9, b) on replica r. The state moves as ever, so it is saved,
    restored and repeated as ever; on one device, and on replica 0, nothing changes.
    """
    for generator in find(model, keras.random.SeedGenerator):
        if not isinstance(vars(generator).get("next"), _Next):
            generator.next = _Next(generator)


class _Next:
    """A seed generator's `next`, told apart by replica."""

    def __init__(self, generator: Any) -> None:
        self._original = generator.next

    def __call__(self, ordered: bool = True) -> Any:
        import tensorflow as tf

        seed = self._original(ordered)
        context = tf.distribute.get_replica_context()
        if context is None or context.num_replicas_in_sync == 1:
            return seed
        replica = tf.cast(context.replica_id_in_sync_group, seed.dtype)
        return seed + tf.stack([replica * tf.constant(_STRIDE, seed.dtype), replica * 0])
