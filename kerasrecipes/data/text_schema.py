"""TextSchema."""

import dataclasses
import math
from typing import Any, NamedTuple, Self

import keras
import numpy as np

from kerasrecipes._checks import check_choice, check_int
from kerasrecipes._export import export
from kerasrecipes.data.vectorization import as_texts, vectorization

KINDS: dict[str, dict[str, Any]] = {
    "words": {"ngrams": (1, 2), "split": "whitespace"},
    "characters": {"ngrams": (3, 4, 5), "split": "character", "standardize": "lower"},
}
_SAMPLE = 10_000
_BATCH = 256
_LONG = 95


class Entry(NamedTuple):
    """An n-gram of the training texts.

    Attributes:
        token: The n-gram, its words or characters divided by blanks.
        texts: Training texts that hold it.
    """

    token: str
    texts: int


@export("data")
@dataclasses.dataclass(frozen=True)
class TextSchema:
    """What words and runs of characters the training texts hold, and how long they are.

    It is saved inside a model of `kerasrecipes.recipes.text`, which therefore takes raw texts;
    the texts themselves are not.

    Attributes:
        rows: Training texts.
        length: Words of a long text: 95 of 100 have at most as many.
        words: The most frequent words and pairs of words, an `Entry` each.
        characters: The same of runs of 3 to 5 characters.
        counted: Texts that the entries were counted in.

    Example:
    >>> schema = TextSchema.from_texts(["good film", "bad film", "a good, good book"])
    >>> print(schema)
    3 texts of up to 4 words; 2 words and pairs, 15 runs of characters in 2 texts or more
    >>> [entry.token for entry in schema.words]
    ['good', 'film']
    >>> schema.layer("words")(["A GOOD film!"]).shape
    TensorShape([1, 3])
    """

    rows: int
    length: int
    words: tuple[Entry, ...]
    characters: tuple[Entry, ...]
    counted: int

    @classmethod
    def from_texts(cls, texts: Any, *, max_tokens: int = 20_000, min_texts: int = 2) -> Self:
        """Returns the schema of training texts.

        Of more than 10,000 texts an even sample of that many is looked at.

        Args:
            texts: Training texts, a list or array of str. Only those of the training split.
            max_tokens: Most entries of each kind, int >= 1; the most frequent ones are kept.
                Defaults to 20000.
            min_texts: Texts that must hold an entry, int >= 1. Texts that have nothing in common
                are counted as if it were 1. Defaults to 2.

        Raises: InputError if `texts` is not a list of str or holds no words.
        """
        check_int("max_tokens", max_tokens, low=1)
        check_int("min_texts", min_texts, low=1)
        array = as_texts("texts", texts)
        sample = array[:: math.ceil(len(array) / _SAMPLE)]
        found = {kind: _entries(sample, kind, max_tokens, min_texts) for kind in KINDS}
        lengths = [len(text.split()) for text in sample]
        longest = max(1, math.ceil(np.percentile(lengths, _LONG)))
        return cls(len(array), longest, **found, counted=len(sample))

    def layer(self, kind: str, *, length: int | None = None) -> keras.layers.TextVectorization:
        """Returns a layer from raw texts to numbers.

        Args:
            kind: "words" or "characters".
            length: None for one weighted count per entry, as "tf_idf" of
                `kerasrecipes.data.vectorization` has them; or an int >= 1 for the numbers of the
                first `length` single words, 0 where a text is shorter. Defaults to None.

        Returns: A `keras.layers.TextVectorization`: (batch,) texts to float32 (batch, entries + 1)
            or int64 (batch, length); entry 0, or number 1, stands for what is not known.
        """
        entries = getattr(self, check_choice("kind", kind, KINDS))
        options = {"standardize": "lower_and_strip_punctuation", **KINDS[kind]}
        if length is not None:
            return keras.layers.TextVectorization(
                vocabulary=self.single_words,
                output_sequence_length=check_int("length", length, low=1),
                name=kind,
            )
        return keras.layers.TextVectorization(
            **options,
            output_mode="tf_idf",
            vocabulary=[entry.token for entry in entries],
            idf_weights=[math.log(1 + self.counted / (1 + entry.texts)) for entry in entries],
            name=kind,
        )

    @property
    def single_words(self) -> list[str]:
        """The words without the pairs."""
        return [entry.token for entry in self.words if " " not in entry.token]

    def get_config(self) -> dict[str, Any]:
        """Returns the attributes as plain values."""
        return {
            "rows": self.rows,
            "length": self.length,
            "words": [list(entry) for entry in self.words],
            "characters": [list(entry) for entry in self.characters],
            "counted": self.counted,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Returns the schema that `get_config` described."""
        return cls(
            rows=config["rows"],
            length=config["length"],
            words=tuple(Entry(*each) for each in config["words"]),
            characters=tuple(Entry(*each) for each in config["characters"]),
            counted=config["counted"],
        )

    def __str__(self) -> str:
        """Shows how much there is of everything."""
        least = min((entry.texts for entry in (*self.words, *self.characters)), default=0)
        least = f"{least} texts or more" if least > 1 else "any text"
        return (
            f"{self.rows:,} texts of up to {self.length} words; {len(self.words):,} words and "
            f"pairs, {len(self.characters):,} runs of characters in {least}"
        )


def _entries(texts: Any, kind: str, max_tokens: int, min_texts: int) -> tuple[Entry, ...]:
    layer = vectorization(texts, max_tokens=max_tokens + 1, output="multi_hot", **KINDS[kind])
    tokens = [str(token) for token in layer.get_vocabulary()]
    counts = np.zeros(len(tokens), "int64")
    for start in range(0, len(texts), _BATCH):
        counts += np.asarray(layer(texts[start : start + _BATCH].tolist())).sum(axis=0)
    known = list(zip(tokens, counts.tolist(), strict=True))[1:]
    frequent = [Entry(token, count) for token, count in known if count >= min_texts]
    return tuple(frequent or [Entry(token, count) for token, count in known])
