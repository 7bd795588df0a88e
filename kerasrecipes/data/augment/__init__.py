"""Augmentation of images, texts and labels, in training only, reproducible from a seed."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)

from kerasrecipes.data.augment.apply import Augmented as Augmented
from kerasrecipes.data.augment.apply import apply as apply
from kerasrecipes.data.augment.cut_mix import CutMix as CutMix
from kerasrecipes.data.augment.image_policy import ImagePolicy as ImagePolicy
from kerasrecipes.data.augment.label_smoothing import LabelSmoothing as LabelSmoothing
from kerasrecipes.data.augment.mix_up import MixUp as MixUp
from kerasrecipes.data.augment.rand_augment import RandAugment as RandAugment
from kerasrecipes.data.augment.word_dropout import WordDropout as WordDropout
from kerasrecipes.data.augment.word_swap import WordSwap as WordSwap
