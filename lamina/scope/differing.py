"""Older spellings of arguments and methods, and names that do something else than TensorFlow's."""

from lamina.keras.core.older import INSTEAD, UNUSED

__all__ = ["DIFFERENT", "OLDER_KEYWORDS", "OLDER_METHODS", "REMOVED_MEMBERS", "REMOVED_METHODS"]

# Name: what is different here, and what to do about it.
DIFFERENT: dict[str, tuple[str, str]] = {
    "tf.compat.v1.ConfigProto": ("kept, and unused", "set XLA_PYTHON_CLIENT_PREALLOCATE=false"),
    "tf.compat.v1.InteractiveSession": ("it has nothing to run", "leave it out"),
    "tf.compat.v1.Session": ("it has nothing to run", "leave it out"),
    "tf.compat.v1.disable_eager_execution": ("it raises RuntimeError", "use tf.function"),
    "tf.compat.v1.disable_v2_behavior": ("it raises RuntimeError", "use tf.function"),
    "tf.config.experimental.set_memory_growth": (
        "accepted, and unused",
        "set XLA_PYTHON_CLIENT_PREALLOCATE=false in the environment",
    ),
    "tf.config.set_soft_device_placement": ("accepted, and unused", "leave it out"),
    "tf.config.set_visible_devices": (
        "accepted, and unused",
        "set CUDA_VISIBLE_DEVICES or JAX_PLATFORMS in the environment",
    ),
    "tf.keras.models.Model.export": (
        "it writes a StableHLO program, not a SavedModel",
        "load it by tf.keras.saving, or by JAX",
    ),
    "tf.random.set_seed": (
        "the random numbers are JAX's: reproducible, and others than TensorFlow's",
        "compare distributions, not values",
    ),
}

# Keyword: what to write now, "" if it has no effect. They run, with a note.
OLDER_KEYWORDS: dict[str, dict[str, str]] = {
    "Optimizer": {
        "lr": "learning_rate=",
        "decay": "learning_rate=tf.keras.optimizers.schedules.InverseTimeDecay(...)",
    },
    "Layer": dict.fromkeys(UNUSED, "")
    | INSTEAD
    | {
        "batch_size": "tf.keras.Input(batch_size=...) before the layer",
        "time_major": "tf.transpose around the layer",
    },
    "layers.LeakyReLU": {"alpha": "negative_slope="},
    "Trainer": {
        "distribute": "",
        "experimental_run_tf_function": "",
        "max_queue_size": "",
        "sample_weight_mode": "",
        "use_multiprocessing": "",
        "workers": "",
    },
}

# Methods: what to write now. They run, with a note.
OLDER_METHODS: dict[str, str] = {
    "add_variable": "add_weight",
    "evaluate_generator": "evaluate",
    "fit_generator": "fit",
    "predict_generator": "predict",
    "reset_states": "reset_state",
}

# Methods and attributes that are not there any more, by the kind of object: what to write.
REMOVED_MEMBERS: dict[str, dict[str, str]] = {
    "Dataset": {
        "make_initializable_iterator": "iterate the dataset: for batch in dataset",
        "make_one_shot_iterator": "iterate the dataset: for batch in dataset",
        "output_classes": "dataset.element_spec",
        "output_shapes": "dataset.element_spec",
        "output_types": "dataset.element_spec",
    },
    "Layer": {
        "add_metric": "model.compile(metrics=[...]), or a metric of your own: self.seen = Mean()",
        "add_update": "variable.assign(value) in `call`",
        "get_input_at": "layer.input",
        "get_losses_for": "layer.losses",
        "get_output_at": "layer.output",
        "get_updates_for": "nothing: `call` assigns variables where it says so",
        "predict_classes": "np.argmax(model.predict(x), axis=-1), or model.predict(x) > 0.5",
        "predict_proba": "model.predict",
        "state_updates": "nothing: `call` assigns variables where it says so",
        "to_yaml": "model.to_json",
        "updates": "nothing: `call` assigns variables where it says so",
    },
    "Optimizer": {
        "_decayed_lr": "optimizer.learning_rate",
        "_get_hyper": "an attribute: self.momentum",
        "_set_hyper": "an attribute: self.momentum = momentum",
        "add_slot": "optimizer.add_variable_from_reference(variable, name)",
        "get_gradients": "tape.gradient(loss, variables) of a tf.GradientTape",
        "get_slot": "optimizer.variables",
        "get_slot_names": "[v.path for v in optimizer.variables]",
        "get_updates": "optimizer.apply_gradients(zip(gradients, variables))",
        "get_weights": "[v.numpy() for v in optimizer.variables]",
        "weights": "optimizer.variables",
    },
}
# Those of them that say by their name what had them, whatever object a program means.
REMOVED_METHODS: dict[str, str] = REMOVED_MEMBERS["Dataset"] | {
    name: REMOVED_MEMBERS["Layer"][name] for name in ("predict_classes", "predict_proba", "to_yaml")
}
