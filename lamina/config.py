"""tf.config, and lamina's own switches: `lamina.config.eager = "sync"`."""

import os
import sys
import types
from collections.abc import Sequence
from importlib import metadata, util
from typing import Any, NamedTuple

import jax

from lamina.demand import missing
from lamina.engine import flush
from lamina.engine.context import config as _switches
from lamina.engine.context import versions
from lamina.ops.placement import devices_of, hidden, kind_of, parse_name

__all__ = [
    "LogicalDevice",
    "LogicalDeviceConfiguration",
    "PhysicalDevice",
    "experimental",
    "experimental_connect_to_cluster",
    "experimental_connect_to_host",
    "experimental_functions_run_eagerly",
    "experimental_run_functions_eagerly",
    "functions_run_eagerly",
    "get_logical_device_configuration",
    "get_soft_device_placement",
    "get_visible_devices",
    "list_logical_devices",
    "list_physical_devices",
    "optimizer",
    "run_functions_eagerly",
    "set_logical_device_configuration",
    "set_soft_device_placement",
    "set_visible_devices",
    "threading",
]

# Not the one that TF's optimizer options set, which has functions recorded again.
_SWITCHES = tuple(set(vars(_switches)) - {"strips_debugging"})


class PhysicalDevice(NamedTuple):
    """A device of this machine: its name in TF's notation, and its type, "CPU", "GPU" or "TPU"."""

    name: str
    device_type: str


class LogicalDevice(NamedTuple):
    """A device as programs see it: a physical one, or a part of one."""

    name: str
    device_type: str


class LogicalDeviceConfiguration(NamedTuple):
    """One of the logical devices that a physical one is split into.

    Args:
        memory_limit: Megabytes; accepted for one GPU, whose share JAX takes from
            XLA_PYTHON_CLIENT_MEM_FRACTION.
        experimental_priority: Accepted, unused.
        experimental_device_ordinal: Accepted, unused.
    """

    memory_limit: float | None = None
    experimental_priority: int | None = None
    experimental_device_ordinal: int | None = None


class _Settings:
    """What programs have set, and read again."""

    def __init__(self) -> None:
        self.logical: dict[Any, list[LogicalDeviceConfiguration]] = {}
        self.growth: dict[Any, bool] = {}
        self.soft_placement = True
        self.policy = "silent"
        self.synchronous = True
        self.tf32 = True
        self.threads = {"inter": 0, "intra": 0}
        self.jit = ""
        self.options: dict[str, Any] = {}


_settings = _Settings()

_CPU = PhysicalDevice("/physical_device:CPU:0", "CPU")


def _may_have_accelerators() -> bool:
    """Return whether JAX could find a device that is no CPU, without touching any."""
    if (jax.config.jax_platforms or "") == "cpu":
        return False
    plugins = metadata.entry_points(group="jax_plugins")
    return bool(plugins) or any(map(util.find_spec, ("jax_plugins", "libtpu", "jax_rocm_plugin")))


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """Return the devices of this machine.

    The CPU is one device; devices are not touched where there is nothing but it, so that
    `set_logical_device_configuration` can still split it.

    Args:
        device_type: "CPU", "GPU" or "TPU"; None for all.
    """
    found = [_CPU]
    if device_type != "CPU" and _may_have_accelerators():
        devices = [d for d in jax.local_devices() if kind_of(d) != "CPU"]
        for i, device in enumerate(devices):
            found.append(PhysicalDevice(f"/physical_device:{kind_of(device)}:{i}", kind_of(device)))
    return [d for d in found if device_type in (None, d.device_type)]


def list_logical_devices(device_type: str | None = None) -> list[LogicalDevice]:
    """Return the devices as the program sees them.

    Args:
        device_type: "CPU", "GPU" or "TPU"; None for all.
    """
    found: list[LogicalDevice] = []
    for kind in ("CPU", "GPU", "TPU"):
        if device_type in (None, kind) and (kind == "CPU" or _may_have_accelerators()):
            count = len(devices_of(kind))
            found.extend(LogicalDevice(f"/device:{kind}:{i}", kind) for i in range(count))
    return found


def get_visible_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """Return the physical devices that the program may use; see `list_physical_devices`."""
    return [d for d in list_physical_devices(device_type) if _jax_device(d) not in hidden]


def _jax_device(device: PhysicalDevice) -> Any:
    if device.device_type == "CPU":
        return None  # not looked at: it may still be split
    return jax.local_devices(backend=device.device_type.lower())[int(device.name.split(":")[-1])]


def set_visible_devices(devices: Any, device_type: str | None = None) -> None:
    """Say which physical devices the program may use.

    Without any accelerator among them it computes on the CPU.

    Args:
        devices: A device, or a list of them; an empty list hides all of the type.
        device_type: The type that is meant; None means all types.

    Raises:
        ValueError: a device is not one of this machine, or of another type.
        RuntimeError: the CPU would be hidden.
    """
    wanted = list(devices) if isinstance(devices, list | tuple) else [devices]
    if isinstance(devices, PhysicalDevice):
        wanted = [devices]
    for device in wanted:
        _check_known("set_visible_devices", device)
        if device_type not in (None, device.device_type):
            raise ValueError(
                f"tf.config.set_visible_devices: devices of type {device_type} were expected; got "
                f"{device!r}."
            )
    if device_type in (None, "CPU") and _CPU not in wanted:
        raise RuntimeError(
            f"tf.config.set_visible_devices: the CPU cannot be hidden; got {wanted}.\n"
            f'  Fix: name the type, as in set_visible_devices([], "GPU").'
        )
    for device in list_physical_devices(device_type):
        if device.device_type != "CPU":
            (hidden.discard if device in wanted else hidden.add)(_jax_device(device))
    if hidden:
        left = [d for d in jax.local_devices() if d not in hidden] or devices_of("CPU")
        jax.config.update("jax_default_device", left[0])


def _check_known(who: str, device: Any) -> None:
    if device not in list_physical_devices():
        raise ValueError(
            f"Unrecognized device: {device!r}\n  tf.config.{who}: the devices are "
            f"{list_physical_devices()}."
        )


def get_logical_device_configuration(device: Any) -> list[LogicalDeviceConfiguration] | None:
    """Return how a physical device is split, None if it is not.

    Raises:
        ValueError: it is not one of this machine.
    """
    _check_known("get_logical_device_configuration", device)
    return _settings.logical.get(device)


def set_logical_device_configuration(
    device: Any, logical_devices: Sequence[LogicalDeviceConfiguration]
) -> None:
    """Split a physical device into logical ones, before anything is computed.

    The CPU can be split into any number, for trying out programs for several devices.

    Args:
        device: One of `list_physical_devices()`.
        logical_devices: A configuration for each part.

    Raises:
        ValueError: it is not one of this machine, a CPU with a memory limit, or a GPU in parts.
        RuntimeError: something was computed before.
    """
    _check_known("set_logical_device_configuration", device)
    parts = list(logical_devices)
    if device.device_type == "CPU" and any(p.memory_limit is not None for p in parts):
        raise ValueError("Setting memory limit on CPU virtual devices is currently not supported")
    if device.device_type != "CPU":
        if len(parts) != 1:
            raise ValueError(
                f"tf.config.set_logical_device_configuration: JAX does not split a "
                f"{device.device_type}; got {len(parts)} parts for {device.name}.\n"
                f"  Fix: split the CPU to try out a program for several devices."
            )
        _settings.logical[device] = parts
        return
    try:
        jax.config.update("jax_num_cpu_devices", len(parts))
    except RuntimeError as error:
        if len(devices_of("CPU")) != len(parts):
            raise RuntimeError(
                f"Virtual devices cannot be modified after being initialized.\n  Reason: {error}\n"
                f"  Fix: split devices at the start of the program, before anything is computed."
            ) from None
    _settings.logical[device] = parts


def set_soft_device_placement(enabled: bool) -> None:
    """Accept TF's switch: XLA places every operation where it can run."""
    _settings.soft_placement = bool(enabled)


def get_soft_device_placement() -> bool:
    """Return what `set_soft_device_placement` set, True at first."""
    return _settings.soft_placement


def run_functions_eagerly(run_eagerly: bool) -> None:
    """Make `tf.function` call the Python function itself, for debugging.

    Args:
        run_eagerly: Whether to.
    """
    _switches.run_functions_eagerly = bool(run_eagerly)


def functions_run_eagerly() -> bool:
    """Return whether `tf.function` calls the Python function itself."""
    return _switches.run_functions_eagerly


experimental_run_functions_eagerly = run_functions_eagerly
experimental_functions_run_eagerly = functions_run_eagerly


def experimental_connect_to_cluster(
    cluster_spec_or_resolver: Any,
    job_name: str = "localhost",
    task_index: int = 0,
    protocol: str | None = None,
    make_master_device_default: bool = True,
    cluster_device_filters: Any = None,
) -> None:
    """Accept a cluster of TPUs, which JAX finds by itself; refuse one of TensorFlow servers.

    Args:
        cluster_spec_or_resolver: A cluster, or what knows it.
        job_name: Accepted, unused, as all the others.
        task_index: Unused.
        protocol: Unused.
        make_master_device_default: Unused.
        cluster_device_filters: Unused.

    Raises:
        ValueError: the cluster has addresses of servers.
    """
    spec = cluster_spec_or_resolver
    spec = spec.cluster_spec() if hasattr(spec, "cluster_spec") else spec
    if spec:
        raise ValueError(
            f"tf.config.experimental_connect_to_cluster: there are no TensorFlow servers here; got "
            f"{spec!r}.\n  Fix: tf.distribute.MultiWorkerMirroredStrategy() with TF_CONFIG."
        )


def experimental_connect_to_host(remote_host: Any = None, job_name: str = "worker") -> None:
    """Refuse: there are no TensorFlow servers here.

    Raises:
        ValueError: always.
    """
    raise ValueError(
        f"tf.config.experimental_connect_to_host: there are no TensorFlow servers here; got "
        f"{remote_host!r}.\n  Fix: tf.distribute.MultiWorkerMirroredStrategy() with TF_CONFIG."
    )


class threading:  # noqa: N801  # TF's name
    """tf.config.threading: how many threads TF uses. XLA takes all cores; the numbers are kept."""

    @staticmethod
    def get_inter_op_parallelism_threads() -> int:
        """Return the number set, 0 at first."""
        return _settings.threads["inter"]

    @staticmethod
    def set_inter_op_parallelism_threads(num_threads: int) -> None:
        """Accept a number of threads; XLA chooses."""
        _settings.threads["inter"] = int(num_threads)

    @staticmethod
    def get_intra_op_parallelism_threads() -> int:
        """Return the number set, 0 at first."""
        return _settings.threads["intra"]

    @staticmethod
    def set_intra_op_parallelism_threads(num_threads: int) -> None:
        """Accept a number of threads; XLA chooses."""
        _settings.threads["intra"] = int(num_threads)


class optimizer:  # noqa: N801  # TF's name
    """tf.config.optimizer: XLA compiles and optimizes everything; the switches are kept."""

    @staticmethod
    def get_jit() -> str:
        """Return "autoclustering" if `set_jit` asked for it, else ""."""
        return _settings.jit

    @staticmethod
    def set_jit(enabled: Any) -> None:
        """Accept TF's switch: XLA compiles everything anyway."""
        on = enabled is True or enabled == "autoclustering"
        _settings.jit = "autoclustering" if on else ""

    @staticmethod
    def get_experimental_options() -> dict[str, Any]:
        """Return the options set."""
        return {"disable_model_pruning": False, "disable_meta_optimizer": False} | _settings.options

    @staticmethod
    def set_experimental_options(options: dict[str, Any]) -> None:
        """Keep options of TF's graph optimizer, beside those set before.

        Args:
            options: Names and values. "debug_stripper" has functions recorded without
                assertions, `check_numerics` and `tf.print`; the others say how TF rewrites its
                graphs, and XLA has its own ways.

        Example:
            >>> tf.config.optimizer.set_experimental_options({"constant_folding": False})
            >>> tf.config.optimizer.get_experimental_options()["constant_folding"]
            False
        """
        _settings.options |= options
        strips = bool(_settings.options.get("debug_stripper", False))
        if strips != _switches.strips_debugging:
            _switches.strips_debugging = strips
            versions.structure += 1  # functions are recorded again


def _named(device: Any) -> Any:
    """Return the jax device of a name such as "GPU:0"."""
    parsed = parse_name("tf.config.experimental", device)
    devices = devices_of(parsed[0]) if parsed else []
    if parsed is None or parsed[1] >= len(devices):
        raise ValueError(f"No matching devices found for {device!r}")
    return devices[parsed[1]]


class ClusterDeviceFilters:
    """Which devices of a cluster see each other: all do; filters are kept and have no effect."""

    def __init__(self) -> None:
        self._filters: dict[tuple[str, int], list[str]] = {}

    def set_device_filters(self, job_name: str, task_index: int, device_filters: Any) -> None:
        """Accept filters for one task."""
        self._filters[job_name, task_index] = list(device_filters)


class experimental:  # noqa: N801  # TF's name
    """Names that programs use below tf.config.experimental."""

    ClusterDeviceFilters = ClusterDeviceFilters
    VirtualDeviceConfiguration = LogicalDeviceConfiguration
    list_physical_devices = staticmethod(list_physical_devices)
    list_logical_devices = staticmethod(list_logical_devices)
    set_visible_devices = staticmethod(set_visible_devices)
    get_visible_devices = staticmethod(get_visible_devices)
    get_virtual_device_configuration = staticmethod(get_logical_device_configuration)
    set_virtual_device_configuration = staticmethod(set_logical_device_configuration)

    @staticmethod
    def set_memory_growth(device: Any, enable: bool) -> None:
        """Have a GPU's memory taken when needed, for processes that start after this.

        JAX reads XLA_PYTHON_CLIENT_PREALLOCATE when it first touches the GPU.

        Raises:
            ValueError: the device is not one of this machine.
        """
        _check_known("experimental.set_memory_growth", device)
        _settings.growth[device] = bool(enable)
        if device.device_type == "GPU":
            os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false" if enable else "true"

    @staticmethod
    def get_memory_growth(device: Any) -> bool:
        """Return what `set_memory_growth` set; False at first."""
        _check_known("experimental.get_memory_growth", device)
        return _settings.growth.get(device, False)

    @staticmethod
    def get_memory_info(device: str) -> dict[str, int]:
        """Return the bytes in use, and the most so far: ``{"current": …, "peak": …}``.

        Args:
            device: A name such as "GPU:0".

        Raises:
            ValueError: there is no such device, or it does not count.
        """
        stats = _named(device).memory_stats()
        if not stats:
            raise ValueError(f"Allocator stats not available for device {device!r}")
        current = int(stats.get("bytes_in_use", 0))
        return {"current": current, "peak": int(stats.get("peak_bytes_in_use", current))}

    @staticmethod
    def get_memory_usage(device: str) -> int:
        """Return the bytes in use; see `get_memory_info`."""
        return experimental.get_memory_info(device)["current"]

    @staticmethod
    def reset_memory_stats(device: str) -> None:
        """Refuse: JAX does not start its counts anew.

        Raises:
            ValueError: always.
        """
        _named(device)
        raise ValueError(f"Cannot reset memory stats for device {device!r}: JAX has no way to.")

    @staticmethod
    def get_device_details(device: Any) -> dict[str, Any]:
        """Return a GPU's name and compute capability; nothing for other devices.

        Raises:
            ValueError: the device is not one of this machine.
        """
        _check_known("experimental.get_device_details", device)
        if device.device_type != "GPU":
            return {}
        found = _jax_device(device)
        details: dict[str, Any] = {"device_name": found.device_kind}
        capability = getattr(found, "compute_capability", None)
        if capability:
            details["compute_capability"] = tuple(int(n) for n in str(capability).split("."))
        return details

    @staticmethod
    def get_device_policy() -> str:
        """Return the policy set, "silent" at first: XLA moves operands to where they are used."""
        return _settings.policy

    @staticmethod
    def set_device_policy(device_policy: str | None) -> None:
        """Accept a policy; XLA moves operands to where they are used.

        Raises:
            ValueError: it is none of TF's.
        """
        if device_policy not in (None, "silent", "silent_for_int32", "warn", "explicit"):
            raise ValueError(
                f"Invalid argument `device_policy`: {device_policy!r}; it must be None, 'silent', "
                f"'silent_for_int32', 'warn' or 'explicit'."
            )
        _settings.policy = device_policy or "silent"

    @staticmethod
    def get_synchronous_execution() -> bool:
        """Return what `set_synchronous_execution` set, True at first."""
        return _settings.synchronous

    @staticmethod
    def set_synchronous_execution(enable: bool | None) -> None:
        """Accept TF's switch; see `lamina.config.eager` for running each operation at once."""
        _settings.synchronous = enable is not False

    @staticmethod
    def tensor_float_32_execution_enabled() -> bool:
        """Return whether products of float32 matrices may use TensorFloat-32 on GPUs."""
        return _settings.tf32

    @staticmethod
    def enable_tensor_float_32_execution(enabled: bool) -> None:
        """Say whether products of float32 matrices may use TensorFloat-32 on GPUs.

        Args:
            enabled: False computes them in full precision.
        """
        _settings.tf32 = bool(enabled)
        jax.config.update("jax_default_matmul_precision", None if enabled else "highest")

    @staticmethod
    def enable_op_determinism() -> None:
        """Have the same program give the same bits, on GPUs too, if called before they are used."""
        flag = "--xla_gpu_deterministic_ops=true"
        flags = os.environ.get("XLA_FLAGS", "")
        if flag not in flags:
            os.environ["XLA_FLAGS"] = f"{flags} {flag}".strip()

    @staticmethod
    def enable_mlir_bridge() -> None:
        """Accept TF's switch: programs go to XLA as StableHLO."""

    @staticmethod
    def disable_mlir_bridge() -> None:
        """Accept TF's switch: programs go to XLA as StableHLO."""


class _Config(types.ModuleType):
    """This module, with the switches of the engine as attributes that can be set."""

    def __getattr__(self, name: str) -> Any:
        if name in _SWITCHES:
            return getattr(_switches, name)
        return missing(__name__, name, sys._getframe(1))

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "eager" and value not in ("record", "sync"):
            raise ValueError(f'lamina.config.eager: must be "record" or "sync"; got {value!r}.')
        if name in _SWITCHES and name != "run_functions_eagerly":
            setattr(_switches, name, value)
            if name == "eager":
                flush()  # what is recorded next follows the new mode
        elif name.startswith("__"):
            super().__setattr__(name, value)
        else:
            raise AttributeError(f"tf.config has no switch {name!r}; there are {list(_SWITCHES)}.")


sys.modules[__name__].__class__ = _Config
