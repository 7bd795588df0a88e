"""The faults of docs/defects.md: what they are, what to use instead, and what provokes them."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Known:
    """A known fault.

    Attributes:
        id: As in docs/defects.md.
        what: What it is.
        instead: What kerasrecipes does instead.
        probes: Functions of `_probes` that provoke it, "module.function".
    """

    id: str
    what: str
    instead: str
    probes: tuple[str, ...]


KNOWN = (
    Known(
        "D1",
        "MultiWorkerMirroredStrategy fails in fit",
        'kr.distribute.strategy("multi_worker"), adapt',
        ("workers.fit",),
    ),
    Known(
        "D2",
        "Gradients are clipped on each replica, before they are summed",
        "kr.optimizers clip the sum",
        ("replica_updates.clipped_update",),
    ),
    Known(
        "D3",
        "BatchNormalization of replicas drifts apart; an empty replica makes it NaN",
        "recipes synchronise, and share rows out evenly",
        ("replica_batches.drifting_statistics", "replica_batches.empty_replica"),
    ),
    Known(
        "D4",
        "The rows of an uneven last batch do not count alike",
        "kr.distribute.EvenBatches, in fit of recipe models",
        ("replica_batches.row_weights",),
    ),
    Known(
        "D5",
        "LossScaleOptimizer overlooks an overflow on another replica",
        "kr.optimizers.LossScaleOptimizer",
        ("replica_updates.overflow",),
    ),
    Known(
        "D6",
        "Accumulation, steps_per_execution and jit_compile fail on replicas",
        "kr.optimizers accumulate; recipe models refuse the rest before training",
        ("replica_updates.accumulation", "replica_updates.compiled"),
    ),
    Known(
        "D7",
        "Dropout masks are the same on every replica",
        "recipe models draw others on each",
        ("replica_batches.dropout_masks",),
    ),
    Known(
        "D8",
        "A masked loss is normalised on each replica",
        "recipe models take the mean over all steps",
        ("replica_batches.masked_loss",),
    ),
    Known(
        "D9",
        "Every worker writes the checkpoint of the chief",
        "kr.callbacks.Checkpoint: the chief alone writes",
        ("workers.shared_file",),
    ),
    Known(
        "D10",
        "Auto-sharding gives workers unequal numbers of rows",
        "kr.distribute.EvenBatches, FileBatches",
        ("workers.file_shards",),
    ),
    Known(
        "D11",
        "A model built outside the scope: an error without a message",
        "kr.distribute.check_model says what to do",
        ("replica_models.built_outside",),
    ),
    Known(
        "R1",
        "fit repeats one order of the rows once a seed is set",
        "kr.data.batches: a new order in each epoch",
        ("order.repeated_order",),
    ),
    Known(
        "R2",
        "BackupAndRestore forgets the state of other callbacks",
        "kr.callbacks.Checkpoint goes on bit for bit",
        ("backup.patience",),
    ),
    Known(
        "R3",
        "ModelCheckpoint overwrites its only file in place",
        "kr.callbacks.Checkpoint replaces files whole",
        ("files.saved_in_place",),
    ),
    Known(
        "R4",
        "What is excluded from weight decay is forgotten in a saved model",
        "kr.optimizers keep it in the config",
        ("decay.decayed_after_loading",),
    ),
    Known(
        "R5",
        "Validation looks at raw weights where their average is kept",
        "kr.callbacks.WeightAveraging",
        ("averages.validated", "averages.micro_steps"),
    ),
    Known(
        "R6",
        "A custom schedule fails when the model is saved, after the training",
        "kr.schedules are registered; kr.sanity.check saves before training",
        ("files.custom_schedule",),
    ),
    Known(
        "C1",
        "ReduceLROnPlateau and schedules do not compose",
        "kr.callbacks.ReduceLROnPlateau, LearningRateScheduler",
        ("rates.plateau_with_schedule", "rates.plateau_undone"),
    ),
    Known(
        "C2",
        "A NaN is the best value for ever",
        "kr.callbacks: what is not finite is never the best",
        ("monitors.nan_stops", "monitors.nan_cuts"),
    ),
    Known(
        "C3",
        "The direction of a metric turns out to be unknown after the first epoch",
        "kr.callbacks.direction, or an error before training",
        ("monitors.direction",),
    ),
    Known(
        "C4",
        "A misspelt monitor never stops the training",
        "an error that names the metrics there are",
        ("monitors.misspelt",),
    ),
    Known(
        "C5",
        "Rates of schedules are not logged, warm-ups left out, micro-batches counted",
        "kr.callbacks.LearningRateLog, kr.schedules, kr.optimizers",
        ("rates.rate_in_history", "rates.warm_up", "rates.accumulated_steps"),
    ),
    Known(
        "C6",
        "The best weights do not come back after Ctrl-C, or a late start_from_epoch",
        "kr.callbacks.EarlyStopping",
        ("monitors.ctrl_c", "monitors.late_start"),
    ),
    Known(
        "C7",
        "TerminateOnNaN lets all steps of an execution run",
        "kr.callbacks.NonFinite",
        ("nonfinite.several_steps",),
    ),
    Known(
        "T1",
        "KerasTuner needs TensorBoard, and does not ask for it",
        "a dependency of kerasrecipes",
        ("tuner_trials.tensorboard",),
    ),
    Known(
        "T2",
        "KerasTuner minimises F1 scores",
        "kr.tuning.objective",
        ("tuner_oracles.direction",),
    ),
    Known(
        "T3",
        "Results of another search are reused",
        "kr.tuning refuses them with the differences",
        ("tuner_oracles.stale",),
    ),
    Known(
        "T4",
        "Promoted trials of Hyperband restart their optimizer",
        "kr.tuning.search: they go on exactly",
        ("tuner_trials.promoted",),
    ),
    Known(
        "T5",
        "The trial of a lost worker stays open, and the chief waits for it",
        "kr.tuning hands it out again",
        ("tuner_oracles.waits",),
    ),
    Known(
        "T6",
        "A truncated file makes a search unusable",
        "kr.tuning sets it aside",
        ("tuner_oracles.truncated",),
    ),
    Known(
        "T7",
        "Memory is lost with each trial",
        "kr.tuning.search(isolate=True)",
        ("tuner_trials.lost_memory",),
    ),
    Known(
        "T8",
        "Callbacks are copied: what they have seen is lost",
        "kr.tuning.search: a function makes them for each run",
        ("tuner_trials.copied_callbacks",),
    ),
    Known(
        "T9",
        "Failed trials, and infinite scores, can be the best",
        "kr.tuning: such trials have failed, with a reason",
        ("tuner_oracles.all_failed", "tuner_oracles.infinite"),
    ),
    Known(
        "T10",
        "Bayesian search repeats points",
        "kr.tuning tries nothing twice",
        ("tuner_oracles.repeats",),
    ),
    Known(
        "F1",
        "Nadam warms its momentum up 250 times too fast",
        "kr.optimizers.Nadam",
        ("optimizers.nadam_momentum",),
    ),
    Known(
        "F2",
        "A model saved before its first update is loaded with a warning",
        "recipes build the optimizer at once",
        ("files.untrained",),
    ),
    Known(
        "F3",
        "ScheduleFreeAdamW begins its second point at zero",
        "kr.optimizers.ScheduleFreeAdamW",
        ("optimizers.schedule_free_start",),
    ),
    Known(
        "F4",
        "sparsemax does not sum to one",
        "kr.activations.sparsemax",
        ("numbers.sparsemax",),
    ),
    Known(
        "F5",
        "RandomFlip flips along both axes or none",
        "kr.data.augment.ImagePolicy",
        ("augmentation.flips",),
    ),
    Known(
        "F6",
        "RandomErasing works with half its probability",
        "kr.data.augment.ImagePolicy(erasing=...)",
        ("augmentation.erasing",),
    ),
    Known(
        "F7",
        "RandAugment draws its operations, and Equalization looks, once for a batch",
        "kr.data.augment.RandAugment",
        ("augmentation.rand_augment", "augmentation.equalization"),
    ),
    Known(
        "F8",
        "CutMix: a label is not the share of the pixels",
        "kr.data.augment.CutMix",
        ("augmentation.cut_mix",),
    ),
    Known(
        "F9",
        "keras.random.beta underflows for a small alpha",
        "kr.data.augment.MixUp, CutMix",
        ("numbers.small_beta",),
    ),
    Known(
        "F10",
        "ops.add takes a column for a bias where it is as long as the last axis",
        "graphs of recipe models do not know how many rows a batch has",
        ("numbers.added_column",),
    ),
    Known(
        "F11",
        "fit makes part of an update where data of unknown size end",
        "recipe models wait for a batch before they do anything",
        ("ends.updates_at_the_end",),
    ),
)
