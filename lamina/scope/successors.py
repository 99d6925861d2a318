"""What TensorFlow 1's names became, and what lamina leaves out, and why."""

__all__ = ["LEFT_OUT", "NOT_CALLED", "SUCCESSORS"]

# The longest prefix counts. What is left out: why, and what to do.
LEFT_OUT: dict[str, tuple[str, str]] = {
    "tf.compat.v1": ("TensorFlow 1", "use the name without compat.v1"),
    "tf.contrib": ("TensorFlow 1's contributions", "see keras.layers, or the package it became"),
    "tf.estimator": ("estimators", "write a tf.keras.Model"),
    "tf.feature_column": (
        "estimators' columns",
        "use tf.keras.layers preprocessing or utils.FeatureSpace",
    ),
    "tf.lite": ("TensorFlow Lite", "model.export writes a StableHLO program"),
    "tf.raw_ops": ("TensorFlow's kernels by name", "use the public function, such as tf.nn.relu"),
    "tf.tpu": ("TensorFlow's TPU runtime", "JAX finds TPUs itself: leave the call out"),
    "tf.mlir": ("TensorFlow's compiler", "stats and jax show the programs"),
    **dict.fromkeys(
        (
            "tf.quantization.dequantize",
            "tf.quantization.experimental",
            "tf.quantization.quantize",
            "tf.quantization.quantize_and_dequantize",
            "tf.quantization.quantize_and_dequantize_v2",
            "tf.quantization.quantized_concat",
        ),
        ("TensorFlow's integer kernels", "model.quantize gives int8 or int4 weights"),
    ),
    "tf.graph_util": ("graphs as data", "export the model: model.export"),
    "tf.python": ("TensorFlow's internals", "use the public name"),
    "tf.core": ("TensorFlow's internals", "use the public name"),
    "tf.examples": ("TensorFlow 1's examples", "tf.keras.datasets has the data sets"),
    "tf.Graph": ("graphs as objects", "use tf.function"),
    "tf.Operation": ("graphs as objects", "use tf.function"),
    "tf.sysconfig.get_compile_flags": ("C++ kernels", "write the operation in JAX: tf.jax_op"),
    "tf.sysconfig.get_include": ("C++ kernels", "write the operation in JAX: tf.jax_op"),
    "tf.sysconfig.get_lib": ("C++ kernels", "write the operation in JAX: tf.jax_op"),
    "tf.sysconfig.get_link_flags": ("C++ kernels", "write the operation in JAX: tf.jax_op"),
    "tf.data.experimental.distributed_save": (
        "TensorFlow's data service",
        "use dataset.save, or dataset.shard on each worker",
    ),
    "tf.data.experimental.get_model_proto": (
        "TensorFlow's tuning of pipelines",
        "leave the call out",
    ),
    "tf.data.experimental.make_saveable_from_iterator": (
        "TensorFlow 1's savers",
        "use tf.train.Checkpoint(iterator=iterator)",
    ),
    "tf.experimental.StructuredTensor": (
        "nested records as Tensors",
        "use a dict of Tensors and tf.RaggedTensors, or a tf.experimental.ExtensionType",
    ),
    "tf.experimental.register_filesystem_plugin": (
        "C++ plugins",
        "open the files by fsspec or the package of the store",
    ),
    "tf.image.decode_jxl": ("JPEG XL", "decode it by Pillow with pillow-jxl-plugin"),
    "tf.io.decode_jxl": ("JPEG XL", "decode it by Pillow with pillow-jxl-plugin"),
    "tf.io.decode_proto": (
        "messages by their descriptors",
        "parse by the package protobuf in tf.py_function, or use tf.io.parse_example",
    ),
    "tf.io.encode_proto": (
        "messages by their descriptors",
        "serialize by the package protobuf in tf.py_function, or use tf.train.Example",
    ),
    "tf.io.write_graph": ("graphs as data", "export the model: model.export"),
    "tf.variant": ("dtypes of handles", "use a Python object"),
    "tf.resource": ("dtypes of handles", "use a Python object"),
    "tf.keras.backend.get_session": ("sessions", "call the functions directly"),
    "tf.keras.backend.set_session": ("sessions", "leave the call out"),
    "tf.keras.distribution": (
        "Keras' own distribution",
        "use tf.distribute.MirroredStrategy",
    ),
    "tf.keras.estimator": ("estimators", "use the tf.keras.Model itself"),
    "tf.keras.export.ExportArchive": (
        "one more way to export",
        "use model.export, or tf.saved_model.save",
    ),
    "tf.keras.quantizers.AWQConfig": (
        "quantization by a data set",
        "model.quantize gives int8 or int4 weights",
    ),
    "tf.keras.quantizers.GPTQConfig": (
        "quantization by a data set",
        "model.quantize gives int8 or int4 weights",
    ),
    "tf.keras.utils.multi_gpu_model": ("TensorFlow 1", "use tf.distribute.MirroredStrategy"),
    "tf.keras.utils.HDF5Matrix": ("Keras 2.3", "read the file by h5py"),
    "tf.keras.wrappers.scikit_learn": (
        "Keras 2's wrappers",
        "use tf.keras.wrappers.SKLearnClassifier or SKLearnRegressor, or the package scikeras",
    ),
    "tf.keras.layers.experimental.SyncBatchNormalization": (
        "an experiment of TensorFlow 2",
        "use tf.keras.layers.BatchNormalization(synchronized=True)",
    ),
    "tf.keras.layers.DenseFeatures": ("estimators' columns", "use tf.keras.utils.FeatureSpace"),
    "tf.keras.utils.SidecarEvaluator": (
        "Keras 2's evaluation beside parameter servers",
        "load each checkpoint in a second program and call model.evaluate",
    ),
    "tf.keras.utils.warmstart_embedding_matrix": (
        "a utility of Keras 2",
        "copy the rows of the words that both vocabularies have into a new matrix",
    ),
    "tf.keras.layers.RandomFourierFeatures": (
        "a removed layer",
        "write it: a fixed Dense and tf.cos",
    ),
    "tf.keras.experimental": ("removed experiments", "use tf.keras"),
}

_SUCCESSORS = """
tf.AUTO_REUSE           share the layer object
tf.ConfigProto          tf.config
tf.Dimension            an int or None
tf.FixedLenFeature      tf.io.FixedLenFeature
tf.GPUOptions           tf.config.experimental.set_memory_growth
tf.GraphKeys            model.trainable_variables, model.losses
tf.InteractiveSession   nothing: operations run at once, and .numpy() gives the value
tf.Print                tf.print
tf.Session              nothing: operations run at once, and .numpy() gives the value
tf.VarLenFeature        tf.io.VarLenFeature
tf.accumulate_n         tf.add_n
tf.add_to_collection    an attribute, or layer.add_loss
tf.all_variables        model.variables
tf.app                  argparse, or absl.app
tf.arg_max              tf.argmax
tf.arg_min              tf.argmin
tf.assign               variable.assign
tf.assign_add           variable.assign_add
tf.assign_sub           variable.assign_sub
tf.batch_to_space_nd    tf.batch_to_space
tf.bincount             tf.math.bincount
tf.ceil                 tf.math.ceil
tf.check_numerics       tf.debugging.check_numerics
tf.cholesky             tf.linalg.cholesky
tf.confusion_matrix     tf.math.confusion_matrix
tf.conj                 tf.math.conj
tf.count_nonzero        tf.math.count_nonzero
tf.cross                tf.linalg.cross
tf.cumprod              tf.math.cumprod
tf.decode_base64        tf.io.decode_base64
tf.decode_csv           tf.io.decode_csv
tf.decode_raw           tf.io.decode_raw
tf.depth_to_space       tf.nn.depth_to_space
tf.diag                 tf.linalg.tensor_diag
tf.diag_part            tf.linalg.tensor_diag_part
tf.digamma              tf.math.digamma
tf.disable_eager_execution  nothing: use tf.function for graphs
tf.disable_v2_behavior  nothing: TensorFlow 2's behaviour is the only one
tf.distributions        tensorflow_probability's substrate for JAX
tf.div                  tf.divide
tf.div_no_nan           tf.math.divide_no_nan
tf.enable_eager_execution  nothing: operations run at once
tf.enable_v2_behavior   nothing: TensorFlow 2's behaviour is the only one
tf.encode_base64        tf.io.encode_base64
tf.erf                  tf.math.erf
tf.erfc                 tf.math.erfc
tf.expm1                tf.math.expm1
tf.extract_image_patches  tf.image.extract_patches
tf.fft                  tf.signal.fft
tf.flags                argparse, or absl.flags
tf.floor_div            tf.math.floordiv
tf.floordiv             tf.math.floordiv
tf.get_collection       model.trainable_variables, model.losses
tf.get_default_graph    nothing: there is no graph of the process
tf.get_default_session  nothing: operations run at once
tf.get_local_variable   tf.Variable
tf.get_seed             tf.random.set_seed
tf.get_variable         tf.Variable, or layer.add_weight
tf.get_variable_scope   tf.Module
tf.gfile                tf.io.gfile
tf.global_variables     model.variables
tf.global_variables_initializer  nothing: variables are initialised when made
tf.glorot_normal_initializer  tf.keras.initializers.GlorotNormal
tf.glorot_uniform_initializer  tf.keras.initializers.GlorotUniform
tf.ifft                 tf.signal.ifft
tf.igamma               tf.math.igamma
tf.initialize_all_variables  nothing: variables are initialised when made
tf.initializers.variables  nothing: variables are initialised when made
tf.invert_permutation   tf.math.invert_permutation
tf.is_finite            tf.math.is_finite
tf.is_inf               tf.math.is_inf
tf.is_nan               tf.math.is_nan
tf.layers.average_pooling2d  tf.keras.layers.AveragePooling2D
tf.layers.batch_normalization  tf.keras.layers.BatchNormalization
tf.layers.conv1d        tf.keras.layers.Conv1D
tf.layers.conv2d        tf.keras.layers.Conv2D
tf.layers.conv2d_transpose  tf.keras.layers.Conv2DTranspose
tf.layers.conv3d        tf.keras.layers.Conv3D
tf.layers.dense         tf.keras.layers.Dense
tf.layers.dropout       tf.keras.layers.Dropout
tf.layers.flatten       tf.keras.layers.Flatten
tf.layers.max_pooling2d  tf.keras.layers.MaxPooling2D
tf.layers.separable_conv2d  tf.keras.layers.SeparableConv2D
tf.lbeta                tf.math.lbeta
tf.lgamma               tf.math.lgamma
tf.lin_space            tf.linspace
tf.local_variables_initializer  nothing: variables are initialised when made
tf.log                  tf.math.log
tf.log1p                tf.math.log1p
tf.log_sigmoid          tf.math.log_sigmoid
tf.logging              logging, Python's own
tf.losses.absolute_difference  tf.keras.losses.MeanAbsoluteError
tf.losses.cosine_distance  tf.keras.losses.CosineSimilarity
tf.losses.get_regularization_loss  tf.add_n(model.losses)
tf.losses.get_total_loss  the loss plus tf.add_n(model.losses)
tf.losses.hinge_loss    tf.keras.losses.Hinge
tf.losses.huber_loss    tf.keras.losses.Huber
tf.losses.log_loss      tf.keras.losses.BinaryCrossentropy
tf.losses.mean_squared_error  tf.keras.losses.MeanSquaredError
tf.losses.sigmoid_cross_entropy  tf.nn.sigmoid_cross_entropy_with_logits
tf.losses.softmax_cross_entropy  tf.nn.softmax_cross_entropy_with_logits
tf.losses.sparse_softmax_cross_entropy  tf.nn.sparse_softmax_cross_entropy_with_logits
tf.make_template        tf.Module, or a layer
tf.manip                tf
tf.matrix_band_part     tf.linalg.band_part
tf.matrix_determinant   tf.linalg.det
tf.matrix_diag          tf.linalg.diag
tf.matrix_diag_part     tf.linalg.diag_part
tf.matrix_inverse       tf.linalg.inv
tf.matrix_set_diag      tf.linalg.set_diag
tf.matrix_solve         tf.linalg.solve
tf.matrix_transpose     tf.linalg.matrix_transpose
tf.metrics.accuracy     tf.keras.metrics.Accuracy
tf.metrics.auc          tf.keras.metrics.AUC
tf.metrics.mean         tf.keras.metrics.Mean
tf.metrics.precision    tf.keras.metrics.Precision
tf.metrics.recall       tf.keras.metrics.Recall
tf.mod                  tf.math.floormod
tf.multinomial          tf.random.categorical
tf.neg                  tf.negative
tf.nn.bidirectional_dynamic_rnn  tf.keras.layers.Bidirectional
tf.nn.dynamic_rnn       tf.keras.layers.RNN
tf.nn.rnn_cell          tf.keras.layers.LSTMCell, GRUCell, SimpleRNNCell
tf.nn.softmax_cross_entropy_with_logits_v2  tf.nn.softmax_cross_entropy_with_logits
tf.nn.static_rnn        tf.keras.layers.RNN
tf.nn.xw_plus_b         tf.matmul(x, w) + b
tf.pack                 tf.stack
tf.parse_example        tf.io.parse_example
tf.parse_single_example  tf.io.parse_single_example
tf.placeholder          an argument of the function, or tf.keras.Input
tf.placeholder_with_default  an argument of the function with a default
tf.polygamma            tf.math.polygamma
tf.py_func              tf.py_function or tf.numpy_function
tf.python_io            tf.io, and tf.data.TFRecordDataset
tf.qr                   tf.linalg.qr
tf.random_crop          tf.image.random_crop
tf.random_gamma         tf.random.gamma
tf.random_normal        tf.random.normal
tf.random_poisson       tf.random.poisson
tf.random_shuffle       tf.random.shuffle
tf.random_uniform       tf.random.uniform
tf.read_file            tf.io.read_file
tf.reciprocal           tf.math.reciprocal
tf.regex_replace        tf.strings.regex_replace
tf.report_uninitialized_variables  nothing: variables are initialised when made
tf.reset_default_graph  tf.keras.backend.clear_session
tf.rint                 tf.math.rint
tf.rsqrt                tf.math.rsqrt
tf.scatter_add          variable.scatter_add, or tf.tensor_scatter_nd_add
tf.scatter_nd_update    tf.tensor_scatter_nd_update
tf.scatter_update       variable.scatter_update, or tf.tensor_scatter_nd_update
tf.segment_max          tf.math.segment_max
tf.segment_mean         tf.math.segment_mean
tf.segment_sum          tf.math.segment_sum
tf.select               tf.where
tf.self_adjoint_eig     tf.linalg.eigh
tf.set_random_seed      tf.random.set_seed
tf.space_to_depth       tf.nn.space_to_depth
tf.sparse_matmul        tf.matmul
tf.sparse_placeholder   an argument of the function
tf.sparse_tensor_dense_matmul  tf.sparse.sparse_dense_matmul
tf.sparse_tensor_to_dense  tf.sparse.to_dense
tf.sparse_to_dense      tf.sparse.to_dense, or tf.scatter_nd
tf.spectral             tf.signal
tf.squared_difference   tf.math.squared_difference
tf.string_join          tf.strings.join
tf.string_split         tf.strings.split
tf.string_to_hash_bucket_fast  tf.strings.to_hash_bucket_fast
tf.string_to_number     tf.strings.to_number
tf.substr               tf.strings.substr
tf.summary.FileWriter   tf.summary.create_file_writer
tf.summary.merge        nothing: tf.summary.scalar writes at once
tf.summary.merge_all    nothing: tf.summary.scalar writes at once
tf.svd                  tf.linalg.svd
tf.tables_initializer   nothing: tables are initialised when made
tf.to_bfloat16          tf.cast(x, tf.bfloat16)
tf.to_double            tf.cast(x, tf.float64)
tf.to_float             tf.cast(x, tf.float32)
tf.to_int32             tf.cast(x, tf.int32)
tf.to_int64             tf.cast(x, tf.int64)
tf.trace                tf.linalg.trace
tf.train.AdadeltaOptimizer  tf.keras.optimizers.Adadelta
tf.train.AdagradOptimizer  tf.keras.optimizers.Adagrad
tf.train.AdamOptimizer  tf.keras.optimizers.Adam
tf.train.FtrlOptimizer  tf.keras.optimizers.Ftrl
tf.train.GradientDescentOptimizer  tf.keras.optimizers.SGD
tf.train.MomentumOptimizer  tf.keras.optimizers.SGD with momentum=
tf.train.Optimizer      tf.keras.optimizers.Optimizer
tf.train.RMSPropOptimizer  tf.keras.optimizers.RMSprop
tf.train.Saver          tf.train.Checkpoint, or model.save_weights
tf.train.batch          tf.data.Dataset.batch
tf.train.cosine_decay   tf.keras.optimizers.schedules.CosineDecay
tf.train.exponential_decay  tf.keras.optimizers.schedules.ExponentialDecay
tf.train.get_global_step  optimizer.iterations
tf.train.get_or_create_global_step  optimizer.iterations
tf.train.piecewise_constant  tf.keras.optimizers.schedules.PiecewiseConstantDecay
tf.train.polynomial_decay  tf.keras.optimizers.schedules.PolynomialDecay
tf.train.shuffle_batch  tf.data.Dataset.shuffle and batch
tf.train.start_queue_runners  tf.data
tf.trainable_variables  model.trainable_variables
tf.truncated_normal     tf.random.truncated_normal
tf.truncated_normal_initializer  tf.keras.initializers.TruncatedNormal
tf.uniform_unit_scaling_initializer  tf.keras.initializers.VarianceScaling
tf.unpack               tf.unstack
tf.unsorted_segment_sum  tf.math.unsorted_segment_sum
tf.variable_scope       tf.Module, or a layer; tf.name_scope for names only
tf.variables_initializer  nothing: variables are initialised when made
tf.variance_scaling_initializer  tf.keras.initializers.VarianceScaling
tf.zeta                 tf.math.zeta
"""

# TensorFlow 1's name: what to write.
SUCCESSORS: dict[str, str] = {
    name: instead.strip()
    for name, _, instead in (line.partition(" ") for line in _SUCCESSORS.strip().splitlines())
}

# Namespaces of TensorFlow 1 whose names `SUCCESSORS` may lack.
NOT_CALLED = (
    "tf.app",
    "tf.contrib",
    "tf.distributions",
    "tf.flags",
    "tf.gfile",
    "tf.layers",
    "tf.logging",
    "tf.manip",
    "tf.python_io",
    "tf.spectral",
    "tf.user_ops",
    "tf.resource_loader",
)
