"""Values that an argument must refuse, by what kind of argument it is: one table for all rows."""

import inspect

__all__ = ["ANYTHING", "KINDS", "PARTS", "REFUSED", "bad_values"]

_POSITIVE = [0, -1, 1.5, "x"]
_SIZES = [0, -1, 1.5, "x", (1, 2, 3, 4, 5)]
_FRACTION = [-0.1, 1.1, "x"]
_NUMBER = ["x"]
_CHOICE = ["nonsense"]
_OBJECT = ["nonsense", 3]
_OPTIONAL_COUNT = [-1, 1.5, "x"]

# What is refused → the arguments it is refused by.
_BY_VALUES = [
    (
        _POSITIVE,
        "bins chain_depth depth_multiplier filters first_decay_steps frame_length frame_step "
        "head_dim height input_dim k key_dim max_tokens n num_bins num_chains num_classes "
        "groups num_heads num_key_value_heads num_mel_bins num_ops num_query_heads num_tokens "
        "output_dim "
        "output_sequence_length power_iterations sequence_stride top_k units value_dim width "
        "ema_overwrite_frequency dynamic_growth_steps sliding_window lora_rank fft_length",
    ),
    (_SIZES, "dilation_rate kernel_size output_size pool_size size strides tile_grid_size"),
    (_OPTIONAL_COUNT, "num_oov_indices cropping class_id num_regressors"),
    (
        _FRACTION,
        "dropout label_smoothing precision recall recurrent_dropout sensitivity specificity "
        "ema_momentum",
    ),
    (
        _NUMBER,
        "adam_beta_1 adam_beta_2 adam_lr_ratio adam_weight_decay alpha beta beta_1 beta_2 "
        "beta_2_decay clip_limit clip_threshold clipnorm clipvalue decay_rate decay_steps delta "
        "end_learning_rate epsilon epsilon_1 epsilon_2 factor gain gamma global_clipnorm "
        "gradient_accumulation_steps initial_accumulator_value initial_learning_rate initial_scale "
        "l1 l1_regularization_strength l2 l2_regularization_strength "
        "l2_shrinkage_regularization_strength learning_rate learning_rate_power logit_soft_cap "
        "loss_scale_factor m_mul mag_exp margin max_value min_freq min_power min_value momentum "
        "muon_a muon_b muon_c negative_slope ns_steps num_labels num_thresholds power q rate "
        "ref_power renorm_momentum rho rms_rate sampling_rate stddev t_mul theta threshold "
        "thresholds top_db warmup_steps weight_decay brightness_factor contrast_factor hue_factor "
        "saturation_factor height_factor width_factor x_factor y_factor threshold_factor "
        "addition_factor value_range target_class_ids fill_value sigma",
    ),
    (
        _CHOICE,
        "average class_aggregation curve data_format distribution dtype encoding fill_mode "
        "interpolation merge_mode mode oov_method output_mode padding reduction scaling "
        "score_mode side split standardize summation_method vocabulary_dtype window",
    ),
    (_OBJECT, "activation recurrent_activation layer cell cells inner_optimizer optimizer_map fn"),
    (["x", 1.5], "axis shared_axes dims axes target_shape attention_axes"),
    ([3], "name"),
]

KINDS = {name: values for values, names in _BY_VALUES for name in names.split()}

# Arguments that a table of values says nothing about, and why.
_TRUTH = "any value has a truth value"
ANYTHING = {
    **dict.fromkeys(
        [
            "all_ops",
            "amsgrad",
            "antialias",
            "apply_class_balancing",
            "center",
            "centered",
            "crop_to_aspect_ratio",
            "cycle",
            "exclude_embeddings",
            "expand_dims",
            "from_logits",
            "from_sorted_ids",
            "go_backwards",
            "invert",
            "keepdims",
            "mask_zero",
            "multi_label",
            "nesterov",
            "normalize",
            "pad_to_aspect_ratio",
            "pad_to_max_tokens",
            "periodic",
            "power_to_db",
            "relative_step",
            "remove_diagonal",
            "renorm",
            "reset_after",
            "return_sequences",
            "return_state",
            "rms_scaling",
            "sparse",
            "sparse_y_pred",
            "sparse_y_true",
            "staircase",
            "stateful",
            "synchronized",
            "tie_weights",
            "unit_forget_bias",
            "unroll",
            "use_bias",
            "use_ema",
            "use_gate",
            "use_scale",
            "zero_output_for_mask",
            "ragged",
        ],
        _TRUTH,
    ),
    "args": "there are none: Python says so",
    "kwargs": "what is taken is looked at by name",
    **dict.fromkeys(["seed", "salt"], "also generators and pairs: tested where drawn"),
    **dict.fromkeys(
        ["mask_value", "oov_token", "mask_token", "value", "offset", "scale"], "any value is one"
    ),
    **dict.fromkeys(["mean", "variance", "minval", "maxval"], "also arrays, tested in their files"),
    **dict.fromkeys(
        ["vocabulary", "idf_weights", "bin_boundaries", "boundaries", "values", "label_weights"],
        "lists whose lengths and contents depend on each other, tested in their files",
    ),
    **dict.fromkeys(
        ["flash_attention", "use_cudnn", "quantization_config", "gptq_unpacked_column_size"],
        "says how, or is there for compatibility; tested in their files",
    ),
    **dict.fromkeys(
        [
            "equation",
            "output_shape",
            "output_padding",
            "bias_axes",
            "noise_shape",
            "input_axes",
            "output_axes",
        ],
        "depends on the input's rank, tested in their files",
    ),
    **dict.fromkeys(
        [
            "weights",
            "backward_layer",
            "exclude_layers",
            "ngrams",
            "warmup_target",
            "renorm_clipping",
            "ignore_class",
            "lora_alpha",
            "max_freq",
            "sequence_length",
            "layers",
            "reverse_dtype",
        ],
        "tested in their files",
    ),
}

# "Row.argument" → values that this row's argument takes after all, or checks at another time.
REFUSED: dict[str, list] = {
    "GroupNormalization.groups": [0, 1.5, "x"],  # -1 is one group a channel
    "SimpleRNN.activity_regularizer": [],  # accepted, and without effect, as in Keras
}

# Row → the class of the part that it hands arguments to, which speaks for it.
PARTS = {
    "AugMix": "RandomShear",
    "ConvLSTM1D": "ConvLSTMCell",
    "ConvLSTM2D": "ConvLSTMCell",
    "ConvLSTM3D": "ConvLSTMCell",
    "RandAugment": "RandomShear",
    "TextVectorization": "StringLookup",
}


def bad_values(case):
    """Yield (argument, value) for all that a row's constructor must refuse."""
    for name in inspect.signature(case.kind).parameters:
        values = _OBJECT if name.endswith(("initializer", "regularizer", "constraint")) else None
        values = REFUSED.get(f"{case.name}.{name}", values or KINDS.get(name, ()))
        for value in values:
            yield name, value
