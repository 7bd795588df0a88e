"""The faults of KERAS-DEFECTS.md, table Data and reproducibility, as far as they are mended."""

import kerasrecipes as kr
from kerasrecipes.doctor._probes.decay import decayed_after_loading


def test_r4_decay_exclusion_survives_loading():
    assert decayed_after_loading().there, "Keras mended R4"
    ours = decayed_after_loading(lambda: kr.optimizers.AdamW(0.1, weight_decay=0.5))
    assert not ours.there, ours.what
