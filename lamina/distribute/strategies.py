"""The strategies that programs choose from."""

import warnings
from collections.abc import Sequence
from typing import Any

import jax

from lamina.distribute import cluster_resolver as resolvers
from lamina.distribute.strategy import Strategy
from lamina.distribute.values import InputContext
from lamina.ops.placement import devices_of, hidden, parse_name

__all__ = [
    "CentralStorageStrategy",
    "CrossDeviceOps",
    "HierarchicalCopyAllReduce",
    "MirroredStrategy",
    "MultiWorkerMirroredStrategy",
    "NcclAllReduce",
    "OneDeviceStrategy",
    "ReductionToOneDevice",
    "TPUStrategy",
]


class CrossDeviceOps:
    """How replicas exchange values. XLA chooses: all kinds are accepted, and mean the same."""


class NcclAllReduce(CrossDeviceOps):
    """Exchange by NCCL, as XLA does on GPUs anyway.

    Args:
        num_packs: Accepted, unused.
    """

    def __init__(self, num_packs: int = 1) -> None:
        if num_packs < 0:
            raise ValueError(
                f"tf.distribute.NcclAllReduce: `num_packs` must be at least 0; got {num_packs}."
            )
        self.num_packs = num_packs


class HierarchicalCopyAllReduce(NcclAllReduce):
    """Exchange along a hierarchy of devices; XLA chooses, as for `NcclAllReduce`."""


class ReductionToOneDevice(CrossDeviceOps):
    """Exchange by way of one device; XLA chooses, as for `NcclAllReduce`.

    Args:
        reduce_to_device: Accepted, unused.
        accumulation_fn: Accepted, unused.
    """

    def __init__(self, reduce_to_device: Any = None, accumulation_fn: Any = None) -> None:
        self.reduce_to_device = reduce_to_device
        self.accumulation_fn = accumulation_fn


def _local_devices() -> list[Any]:
    """Return the accelerators of this process, or its CPU devices if there are none."""
    devices = [d for d in jax.local_devices() if d not in hidden]
    return devices or devices_of("CPU")


def workers_devices() -> list[Any]:
    """Return the accelerators of this process, or one CPU device: TF's choice for a worker."""
    devices = _local_devices()
    return devices[:1] if devices[0].platform == "cpu" else devices


def _parse(who: str, name: Any) -> tuple[str, int]:
    parsed = parse_name(who, getattr(name, "name", name))
    if parsed is None:
        raise ValueError(
            f'{who}: a device must be a name such as "/gpu:0", or a LogicalDevice; got {name!r}.\n'
            f"  Fix: tf.config.list_logical_devices() lists what there is."
        )
    return parsed


def _find(kind: str, number: int) -> Any:
    devices = devices_of(kind)
    return devices[number] if number < len(devices) else None


class MirroredStrategy(Strategy):
    """Training on several devices of one machine, each with a copy of all variables.

    Args:
        devices: Names such as "/gpu:0", or logical devices; None or an empty list takes all.
            Where some are not there, all replicas run on the first device, one batch of them.
        cross_device_ops: Accepted; XLA chooses how devices exchange values.

    Raises:
        ValueError: a name is none of a device, or comes twice.

    Example:
        >>> strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
        >>> with strategy.scope():
        ...     v = tf.Variable(2.0)
        >>> strategy.run(lambda: v * v).numpy()
        np.float32(4.0)
    """

    def __init__(
        self, devices: Sequence[Any] | None = None, cross_device_ops: CrossDeviceOps | None = None
    ) -> None:
        who = "tf.distribute.MirroredStrategy"
        if cross_device_ops is not None and not isinstance(cross_device_ops, CrossDeviceOps):
            raise ValueError(
                f"{who}: `cross_device_ops` must be a tf.distribute.CrossDeviceOps; got "
                f"{cross_device_ops!r}."
            )
        if isinstance(devices, str):
            devices = [devices]
        if not devices:
            self._set_devices(_local_devices())
            return
        wanted = [_parse(who, d) for d in devices]
        if len(set(wanted)) < len(wanted):
            raise ValueError(
                f"{who}: `devices` must differ from each other; got {list(devices)}.\n"
                f"  Fix: name each once."
            )
        found = [_find(*w) for w in wanted]
        names = [f"/job:localhost/replica:0/task:0/device:{k}:{i}" for k, i in wanted]
        if None not in found:
            self._set_devices(found, names)
            return
        missing = [n for n, d in zip(names, found, strict=True) if d is None]
        warnings.warn(
            f"{who}: some requested devices are not there: {missing}; its {len(wanted)} replicas "
            f"run on one device.",
            stacklevel=2,
        )
        self._set_devices(_local_devices()[:1], names, len(wanted))


class OneDeviceStrategy(Strategy):
    """One replica on one device, for trying out code that uses strategies.

    Args:
        device: Its name, such as "/gpu:0"; one that is not there means the default device.

    Example:
        >>> strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
        >>> strategy.num_replicas_in_sync
        1
    """

    def __init__(self, device: Any) -> None:
        kind, number = _parse("tf.distribute.OneDeviceStrategy", device)
        found = _find(kind, number) or jax.devices()[0]
        self._set_devices([found], [f"/job:localhost/replica:0/task:0/device:{kind}:{number}"])


class CentralStorageStrategy(MirroredStrategy):
    """Training on several devices of one machine, with variables on all of them.

    TF keeps one copy of each variable, on one device; the results are those of
    `MirroredStrategy`, which this is.

    Args:
        compute_devices: The devices, as for `MirroredStrategy`.
        parameter_device: Accepted, unused.
    """

    def __init__(
        self, compute_devices: Sequence[Any] | None = None, parameter_device: Any = None
    ) -> None:
        if compute_devices:
            super().__init__(compute_devices)
        else:
            self._set_devices(workers_devices())


class MultiWorkerMirroredStrategy(Strategy):
    """Training on the devices of several machines, each with a copy of all variables.

    Every worker runs the same program. The environment variable TF_CONFIG, or the resolver, says
    which workers there are and which this is; without it the one worker is this process. The
    strategy must be made before anything is computed. Any worker's end ends the others: save often,
    and let the launcher start all of them again.

    All workers run the same steps on as many batches of the same sizes, which the number of
    replicas divides: `batch(n, drop_remainder=True)`. Of each global batch that its own program
    makes a worker trains on its own part, so that workers with the same data share it, in order or
    shuffled by one seed. Variables start with the values that the first worker drew.

    Args:
        cluster_resolver: Where the workers are; None reads TF_CONFIG.
        communication_options: Accepted; XLA chooses.

    Raises:
        RuntimeError: with several workers, something was computed before.
        ValueError: the task is none of the cluster's; or, of `run`, the values of the replicas
            differ in shape.

    Example:
        >>> strategy = tf.distribute.MultiWorkerMirroredStrategy()  # without TF_CONFIG
        >>> strategy.cluster_resolver.task_id, strategy.num_replicas_in_sync
        (None, 1)
    """

    def __init__(self, cluster_resolver: Any = None, communication_options: Any = None) -> None:
        resolver = cluster_resolver or resolvers.TFConfigClusterResolver()
        self._resolver = resolver
        workers = _workers_of(resolver.cluster_spec())
        self._workers = max(len(workers), 1)
        self._worker = 0
        if self._workers > 1:
            self._worker = _number_of(resolver, workers)
            self._join(workers)
            self._set_devices(jax.devices())
        else:
            self._set_devices(workers_devices())

    def _join(self, workers: list[str]) -> None:
        if jax.distributed.is_initialized():
            return
        try:
            jax.distributed.initialize(workers[0], len(workers), self._worker)
        except RuntimeError as error:
            raise RuntimeError(
                f"tf.distribute.MultiWorkerMirroredStrategy: it must be made before anything is "
                f"computed, so that the {len(workers)} workers can find each other.\n"
                f"  Reason: {error}\n  Fix: make it at the start of the program."
            ) from None

    @property
    def cluster_resolver(self) -> Any:
        """Where the workers are, and which this is."""
        return self._resolver

    def _input_contexts(self, pipelines: int) -> list[Any]:
        if self._workers == 1:
            return super()._input_contexts(pipelines)
        total = self._workers * pipelines
        first = self._worker * pipelines
        return [InputContext(total, first + i, self._count) for i in range(pipelines)]


def _workers_of(spec: Any) -> list[str]:
    jobs = spec.as_dict()
    return [*jobs.get("chief", []), *jobs.get("worker", [])]


def _number_of(resolver: Any, workers: list[str]) -> int:
    kind, number = resolver.task_type, resolver.task_id
    chiefs = len(resolver.cluster_spec().as_dict().get("chief", []))
    if kind not in ("chief", "worker") or number is None:
        raise ValueError(
            f"tf.distribute.MultiWorkerMirroredStrategy: the task must be a chief or worker with "
            f"its index; got {kind!r}, {number!r}.\n"
            f'  Fix: TF_CONFIG = {{"cluster": …, "task": {{"type": "worker", "index": 0}}}}.'
        )
    place = number if kind == "chief" else chiefs + number
    if not 0 <= place < len(workers):
        raise ValueError(
            f"tf.distribute.MultiWorkerMirroredStrategy: task index {number} is not one of the "
            f"{len(workers)} workers {workers}."
        )
    return place


class TPUStrategy(Strategy):
    """Training on all cores of TPUs, each with a copy of all variables.

    Args:
        tpu_cluster_resolver: A `TPUClusterResolver`; the TPUs are those that JAX finds.
        experimental_device_assignment: Accepted, unused.
        experimental_spmd_xla_partitioning: Accepted, unused.

    Raises:
        ValueError: this process has no TPU.
    """

    def __init__(
        self,
        tpu_cluster_resolver: Any = None,
        experimental_device_assignment: Any = None,
        experimental_spmd_xla_partitioning: bool = False,
    ) -> None:
        devices = [d for d in jax.devices() if d.platform == "tpu"]
        if not devices:
            raise ValueError(
                f"tf.distribute.TPUStrategy: a TPU is needed; the devices are {jax.devices()}.\n"
                f"  Fix: tf.distribute.MirroredStrategy() takes the devices that there are."
            )
        self._resolver = tpu_cluster_resolver
        self._set_devices(devices)

    @property
    def cluster_resolver(self) -> Any:
        """The resolver given."""
        return self._resolver
