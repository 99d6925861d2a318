"""Options: how a pipeline should run."""

import enum
from typing import Any, ClassVar

__all__ = [
    "AutoShardPolicy",
    "AutotuneAlgorithm",
    "AutotuneOptions",
    "DistributeOptions",
    "ExternalStatePolicy",
    "OptimizationOptions",
    "Options",
    "ServiceOptions",
    "ThreadingOptions",
    "merged",
]


class AutoShardPolicy(enum.IntEnum):
    """How a dataset is divided between workers."""

    OFF = -1
    AUTO = 0
    FILE = 1
    DATA = 2
    HINT = 3


class AutotuneAlgorithm(enum.Enum):
    """How numbers of threads and elements made ahead are chosen."""

    DEFAULT = 0
    HILL_CLIMB = 1
    GRADIENT_DESCENT = 2
    MAX_PARALLELISM = 3
    STAGE_BASED = 4


class ExternalStatePolicy(enum.Enum):
    """What is done about state outside of a pipeline when its place is saved."""

    WARN = 0
    IGNORE = 1
    FAIL = 2


class _Options:
    """Named options, None where nothing was said; other names and types are refused."""

    _names: ClassVar[dict[str, type]] = {}  # name -> the type of its values

    def __init__(self) -> None:
        for name, kind in self._names.items():
            object.__setattr__(self, name, kind() if issubclass(kind, _Options) else None)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._names:
            raise AttributeError(
                f"{type(self).__name__}: there is no option {name!r}.\n"
                f"  Fix: one of {', '.join(self._names)}."
            )
        kind = self._names[name]
        if value is not None and not isinstance(value, kind):
            raise TypeError(
                f"{type(self).__name__}: `{name}` must be of type {kind.__name__}; got {value!r} "
                f"({type(value).__name__})."
            )
        object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __ne__(self, other: object) -> bool:
        return not self == other


class AutotuneOptions(_Options):
    """How tf.data chooses numbers that are left to it. Accepted, unused: it needs no tuning.

    Attributes:
        enabled: A bool.
        cpu_budget: Processors to use.
        ram_budget: Bytes to use.
        autotune_algorithm: An AutotuneAlgorithm.
        initial_parallelism: Threads at the start.
        min_parallelism: Threads at least.
    """

    _names: ClassVar[dict[str, type]] = {
        "enabled": bool,
        "cpu_budget": int,
        "ram_budget": int,
        "autotune_algorithm": AutotuneAlgorithm,
        "initial_parallelism": int,
        "min_parallelism": int,
    }


class DistributeOptions(_Options):
    """How datasets are divided between workers.

    Attributes:
        auto_shard_policy: An AutoShardPolicy.
        num_devices: The number of devices.
    """

    _names: ClassVar[dict[str, type]] = {"auto_shard_policy": AutoShardPolicy, "num_devices": int}

    def __init__(self) -> None:
        super().__init__()
        self.auto_shard_policy = AutoShardPolicy.AUTO


class OptimizationOptions(_Options):
    """Rewrites of TF's pipeline graph. Accepted, unused: there is no such graph here.

    Attributes:
        apply_default_optimizations: A bool.
        filter_fusion: A bool.
        filter_parallelization: A bool.
        inject_prefetch: A bool.
        map_and_batch_fusion: A bool.
        map_and_filter_fusion: A bool.
        map_fusion: A bool.
        map_parallelization: A bool.
        noop_elimination: A bool.
        parallel_batch: A bool.
        seq_interleave_prefetch: A bool.
        shuffle_and_repeat_fusion: A bool.
    """

    _names: ClassVar[dict[str, type]] = dict.fromkeys(
        (
            "apply_default_optimizations",
            "filter_fusion",
            "filter_parallelization",
            "inject_prefetch",
            "map_and_batch_fusion",
            "map_and_filter_fusion",
            "map_fusion",
            "map_parallelization",
            "noop_elimination",
            "parallel_batch",
            "seq_interleave_prefetch",
            "shuffle_and_repeat_fusion",
        ),
        bool,
    )


class ServiceOptions(_Options):
    """Options of TF's data service. Accepted, unused: there is no such service here.

    Attributes:
        pinned: A bool.
    """

    _names: ClassVar[dict[str, type]] = {"pinned": bool}


class ThreadingOptions(_Options):
    """How many threads a pipeline uses. Accepted, unused: values do not depend on it.

    Attributes:
        max_intra_op_parallelism: Threads of one operation.
        private_threadpool_size: Threads of the pipeline.
    """

    _names: ClassVar[dict[str, type]] = {
        "max_intra_op_parallelism": int,
        "private_threadpool_size": int,
    }


class Options(_Options):
    """How a dataset should run: given to `Dataset.with_options`.

    Results do not depend on them. Attributes that nothing was said of are None.

    Attributes:
        autotune: AutotuneOptions.
        dataset_name: A name.
        deterministic: Whether the order is kept; it always is.
        distribute: DistributeOptions.
        experimental_deterministic: As `deterministic`.
        experimental_distribute: As `distribute`.
        experimental_external_state_policy: As `external_state_policy`.
        experimental_optimization: As `optimization`.
        experimental_slack: As `slack`.
        experimental_symbolic_checkpoint: As `symbolic_checkpoint`.
        experimental_threading: As `threading`.
        experimental_warm_start: As `warm_start`.
        external_state_policy: An ExternalStatePolicy.
        framework_type: A list of strings.
        optimization: OptimizationOptions.
        service: ServiceOptions.
        slack: A bool.
        symbolic_checkpoint: A bool.
        threading: ThreadingOptions.
        warm_start: A bool.

    Example:
        >>> options = tf.data.Options()
        >>> options.deterministic = False
        >>> tf.data.Dataset.range(3).with_options(options).options().deterministic
        False
    """

    _names: ClassVar[dict[str, type]] = {
        "dataset_name": str,
        "deterministic": bool,
        "external_state_policy": ExternalStatePolicy,
        "framework_type": list,
        "slack": bool,
        "symbolic_checkpoint": bool,
        "warm_start": bool,
        "autotune": AutotuneOptions,
        "distribute": DistributeOptions,
        "optimization": OptimizationOptions,
        "service": ServiceOptions,
        "threading": ThreadingOptions,
    }

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name.removeprefix("experimental_"), value)

    def __getattr__(self, name: str) -> Any:
        short = name.removeprefix("experimental_")
        if short == name or short not in self._names:
            raise AttributeError(f"Options: there is no option {name!r}.")
        return getattr(self, short)

    def merge(self, options: "Options") -> "Options":
        """Return these options, and those of `options` where it says something.

        Args:
            options: The options that win.
        """
        return merged(self, options)


def merged(first: Any, second: Any) -> Any:
    """Return options with those of `second` where it says something."""
    if first is None or second is None:
        return second if first is None else first
    found = type(first)()
    fresh = type(first)()
    for name, kind in first._names.items():
        mine, its = getattr(first, name), getattr(second, name)
        if issubclass(kind, _Options):
            value = merged(mine, its)
        else:
            value = mine if its is None or its == getattr(fresh, name) else its
        object.__setattr__(found, name, value)
    return found
