"""Gradient clipping: what is clipped, and the arithmetic of each kind."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from keras import ops

from kerasrecipes._checks import InputError, check_number, fail

Gradients = Sequence[Any]


@dataclasses.dataclass(frozen=True)
class Clipping:
    """At most one kind of clipping and its threshold, in Keras's own words.

    Attributes:
        clipvalue: Largest magnitude of an element, or None.
        clipnorm: Largest Euclidean norm of one variable's gradient, or None.
        global_clipnorm: Largest Euclidean norm of all gradients together, "auto" for the 90th
            percentile of the latest 500 such norms, or None.
        adaptive_clip: Largest ratio of a unit's gradient norm to its weight norm, or None.

    Example:
    >>> bool(Clipping()), bool(Clipping(global_clipnorm=1.0))
    (False, True)
    """

    clipvalue: float | None = None
    clipnorm: float | None = None
    global_clipnorm: float | str | None = None
    adaptive_clip: float | None = None

    def __post_init__(self) -> None:
        given = {k: v for k, v in dataclasses.asdict(self).items() if v is not None}
        if len(given) > 1:
            raise InputError(
                f"Only one kind of clipping can be set. Received: {given}. `global_clipnorm` "
                "keeps the direction of the whole update."
            )
        for argument, threshold in given.items():
            if threshold == "auto" and argument == "global_clipnorm":
                continue
            if isinstance(threshold, str):
                expected = "'auto' or a number > 0" if argument == "global_clipnorm" else "> 0"
                fail(argument, expected, threshold)
            check_number(argument, threshold, low=0.0, open_low=True)

    def __bool__(self) -> bool:
        return any(value is not None for value in dataclasses.astuple(self))

    @property
    def is_auto(self) -> bool:
        """Whether the threshold follows from the gradients seen."""
        return self.global_clipnorm == "auto"

    def __call__(
        self, gradients: Gradients, variables: Sequence[Any], *, norm: Any, threshold: Any = None
    ) -> tuple[list[Any], Any]:
        """Returns the clipped gradients, and whether clipping changed them; None stays None.

        Args:
            gradients: One gradient per variable.
            variables: The variables, which adaptive clipping compares with.
            norm: The global norm of the gradients.
            threshold: The threshold for "auto".
        """
        if self.global_clipnorm is not None:
            limit = threshold if self.is_auto else self.global_clipnorm
            factor = _factor(norm, limit)  # once: small models feel each operation
            shrunk = [None if g is None else g * ops.cast(factor, g.dtype) for g in gradients]
            return shrunk, norm > limit
        clipped = self._by_parts(gradients, variables)
        pairs = zip(gradients, clipped, strict=True)
        changed = [ops.any(ops.not_equal(g, c)) for g, c in pairs if g is not None]
        if not changed:
            return clipped, False
        return clipped, ops.logical_and(ops.isfinite(norm), ops.any(ops.stack(changed)))

    def _by_parts(self, gradients: Gradients, variables: Sequence[Any]) -> list[Any]:
        if self.clipvalue is not None:
            return clip_by_value(gradients, self.clipvalue)
        if self.clipnorm is not None:
            return clip_by_norm(gradients, self.clipnorm)
        if self.adaptive_clip is not None:
            return clip_adaptively(gradients, variables, self.adaptive_clip)
        return list(gradients)


# Norms whose squares are far from what float32 cannot hold.
_SQUARES = (1e-15, 1e15)


def global_norm(gradients: Gradients) -> Any:
    """Returns the Euclidean norm of all gradients together, in float32: sqrt(sum g^2).

    It is infinite as soon as a square is, and then so is what optimizers make of squares;
    `safe_norm` is not.
    """
    squares = [ops.sum(ops.square(ops.cast(g, "float32"))) for g in gradients if g is not None]
    return ops.sqrt(sum(squares))


def safe_norm(gradients: Gradients) -> Any:
    """Returns the norm as `global_norm` does, but any norm that float32 holds."""
    present = [g for g in gradients if g is not None]
    if not present:
        return ops.zeros((), "float32")
    plain = global_norm(present)
    usual = ops.logical_and(plain > _SQUARES[0], plain < _SQUARES[1])
    return ops.cond(usual, lambda: plain, lambda: _norm(ops.stack([_norm(g) for g in present])))


def clip_by_value(gradients: Gradients, threshold: float) -> list[Any]:
    """Returns min(max(g, -threshold), threshold), element by element."""
    return [None if g is None else ops.clip(g, -threshold, threshold) for g in gradients]


def clip_by_norm(gradients: Gradients, threshold: float) -> list[Any]:
    """Returns each g * min(1, threshold / ||g||)."""
    return [None if g is None else _shrink(g, _norm(g), threshold) for g in gradients]


def clip_adaptively(
    gradients: Gradients, variables: Sequence[Any], factor: float, *, epsilon: float = 1e-3
) -> list[Any]:
    """Returns each unit's g * min(1, factor * max(||w||, epsilon) / ||g||).

    A unit is a slice along the last axis: the weights into one output of `Dense` or `Conv2D`.
    Kernels with several output axes, as in `MultiHeadAttention`, are not told from those of
    convolutions, so one unit of theirs is what ends in the same last index, over all heads.
    Scalars and vectors are units of their own.

    Reference: Brock et al. 2021, arXiv:2102.06171, section 4.
    """
    clipped: list[Any] = []
    for gradient, variable in zip(gradients, variables, strict=True):
        if gradient is None:
            clipped.append(None)
            continue
        limit = factor * ops.maximum(_unit_norm(ops.convert_to_tensor(variable)), epsilon)
        clipped.append(_shrink(gradient, _unit_norm(gradient), limit))
    return clipped


def _unit_norm(x: Any) -> Any:
    axes = tuple(range(len(x.shape) - 1)) if len(x.shape) > 1 else None
    return _norm(x, axis=axes, keepdims=True)


def _norm(x: Any, **axes: Any) -> Any:
    """Returns the Euclidean norm, without overflow in the squares; non-finite stays so."""
    x = ops.cast(x, "float32")
    largest = ops.max(ops.abs(x), initial=0.0, **axes)
    usable = ops.logical_and(largest > 0, ops.isfinite(largest))
    scale = ops.where(usable, largest, ops.ones_like(largest))
    return scale * ops.sqrt(ops.sum(ops.square(x / scale), **axes))


def _shrink(gradient: Any, norm: Any, limit: Any) -> Any:
    """Returns a gradient scaled to at most a norm."""
    return gradient * ops.cast(_factor(norm, limit), gradient.dtype)


def _factor(norm: Any, limit: Any) -> Any:
    """Returns what a gradient of a norm is multiplied by; NaN and infinity stay."""
    factor = ops.where(norm > limit, limit / ops.maximum(norm, 1e-30), 1.0)
    return ops.where(ops.isfinite(norm), factor, norm)
