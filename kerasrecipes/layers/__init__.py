"""Reusable layers, and prediction with dropout on."""

import keras  # noqa: F401  (first: see kerasrecipes/__init__.py)

from kerasrecipes.layers.blur_pool import BlurPool as BlurPool
from kerasrecipes.layers.category_embedding import CategoryEmbedding as CategoryEmbedding
from kerasrecipes.layers.channel_prelu import ChannelPReLU as ChannelPReLU
from kerasrecipes.layers.conv_block import ConvBlock as ConvBlock
from kerasrecipes.layers.dense_block import DenseBlock as DenseBlock
from kerasrecipes.layers.ensemble_dense import EnsembleDense as EnsembleDense
from kerasrecipes.layers.ensemble_head import EnsembleHead as EnsembleHead
from kerasrecipes.layers.ensemble_mean import EnsembleMean as EnsembleMean
from kerasrecipes.layers.feature_scale import FeatureScale as FeatureScale
from kerasrecipes.layers.fused_batch_normalization import (
    FusedBatchNormalization as FusedBatchNormalization,
)
from kerasrecipes.layers.hash_dropout import HashDropout as HashDropout
from kerasrecipes.layers.masked_batch_normalization import (
    MaskedBatchNormalization as MaskedBatchNormalization,
)
from kerasrecipes.layers.missing_indicator import MissingIndicator as MissingIndicator
from kerasrecipes.layers.monte_carlo import MonteCarloPrediction as MonteCarloPrediction
from kerasrecipes.layers.monte_carlo import monte_carlo_predict as monte_carlo_predict
from kerasrecipes.layers.ntk_dense import NTKDense as NTKDense
from kerasrecipes.layers.parametric_activation import ParametricActivation as ParametricActivation
from kerasrecipes.layers.periodic_embedding import PeriodicEmbedding as PeriodicEmbedding
from kerasrecipes.layers.piecewise_linear_embedding import (
    PiecewiseLinearEmbedding as PiecewiseLinearEmbedding,
)
from kerasrecipes.layers.position_encoding import PositionEncoding as PositionEncoding
from kerasrecipes.layers.prediction_clip import PredictionClip as PredictionClip
from kerasrecipes.layers.robust_scale import RobustScale as RobustScale
from kerasrecipes.layers.rrelu import RReLU as RReLU
from kerasrecipes.layers.scheduled_dropout import ScheduledDropout as ScheduledDropout
from kerasrecipes.layers.squeeze_excite import SqueezeExcite as SqueezeExcite
from kerasrecipes.layers.stochastic_depth import StochasticDepth as StochasticDepth
from kerasrecipes.layers.weight_normalization import WeightNormalization as WeightNormalization
from kerasrecipes.layers.weight_normalization import (
    initialize_weight_normalization as initialize_weight_normalization,
)
from kerasrecipes.layers.weight_standardization import (
    WeightStandardization as WeightStandardization,
)
