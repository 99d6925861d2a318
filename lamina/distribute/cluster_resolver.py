"""tf.distribute.cluster_resolver: which machines work together, and which this is."""

import json
import os
from collections.abc import Mapping
from typing import Any

import jax

from lamina.late import late_module

__all__ = [
    "ClusterResolver",
    "ClusterSpec",
    "SimpleClusterResolver",
    "SlurmClusterResolver",
    "TFConfigClusterResolver",
    "TPUClusterResolver",
    "UnionResolver",
]


_protos = late_module("lamina.protos")  # messages cost import time that clusters rarely need


class ClusterSpec:
    """The jobs of a cluster, and the addresses of their tasks.

    Args:
        cluster: Another ClusterSpec, a `tf.train.ClusterDef`, or a mapping from job names to
            lists, or dicts by task number, of "host:port".

    Example:
        >>> spec = tf.train.ClusterSpec({"worker": ["a:2222", "b:2222"]})
        >>> spec.num_tasks("worker"), spec.task_address("worker", 1)
        (2, 'b:2222')
    """

    def __init__(self, cluster: Any) -> None:
        if isinstance(cluster, ClusterSpec):
            cluster = cluster._jobs
        if hasattr(cluster, "job"):
            cluster = {job.name: dict(job.tasks) for job in cluster.job}
        if not isinstance(cluster, Mapping):
            raise TypeError(
                f"tf.train.ClusterSpec: `cluster` must map job names to lists of addresses; got "
                f"{cluster!r}."
            )
        self._jobs: dict[str, dict[int, str]] = {}
        for job, tasks in cluster.items():
            if isinstance(tasks, list | tuple):
                tasks = dict(enumerate(tasks))
            if not isinstance(tasks, Mapping):
                raise TypeError(
                    f"tf.train.ClusterSpec: the tasks of job {job!r} must be a list or a dict; got "
                    f"{tasks!r}."
                )
            self._jobs[job] = {int(k): str(v) for k, v in tasks.items()}

    @property
    def jobs(self) -> list[str]:
        """The names of the jobs."""
        return list(self._jobs)

    def as_dict(self) -> dict[str, Any]:
        """Return the addresses by job: lists, or dicts where task numbers are left out."""
        made: dict[str, Any] = {}
        for job, tasks in self._jobs.items():
            dense = sorted(tasks) == list(range(len(tasks)))
            made[job] = [tasks[i] for i in sorted(tasks)] if dense else dict(tasks)
        return made

    def as_cluster_def(self) -> Any:
        """Return the same as a `tf.train.ClusterDef`, jobs sorted by name."""
        jobs = [{"name": name, "tasks": tasks} for name, tasks in sorted(self._jobs.items())]
        return _protos.ClusterDef(job=jobs)

    def num_tasks(self, job_name: str) -> int:
        """Return how many tasks a job has."""
        return len(self._job(job_name))

    def task_indices(self, job_name: str) -> list[int]:
        """Return the numbers of a job's tasks."""
        return sorted(self._job(job_name))

    def job_tasks(self, job_name: str) -> list[str | None]:
        """Return the addresses of a job by task number; None for a number left out."""
        tasks = self._job(job_name)
        return [tasks.get(i) for i in range(max(tasks, default=-1) + 1)]

    def task_address(self, job_name: str, task_index: int) -> str:
        """Return the address of a task.

        Raises:
            ValueError: there is no such job or task.
        """
        tasks = self._job(job_name)
        if task_index not in tasks:
            raise ValueError(f"No task with index {task_index!r} in job {job_name!r}.")
        return tasks[task_index]

    def _job(self, name: str) -> dict[int, str]:
        if name not in self._jobs:
            raise ValueError(f"No such job in cluster: {name!r}; there are {self.jobs}.")
        return self._jobs[name]

    def __bool__(self) -> bool:
        return bool(self._jobs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClusterSpec) and self._jobs == other._jobs

    def __hash__(self) -> int:
        return hash(json.dumps(self.as_dict(), sort_keys=True))

    def __repr__(self) -> str:
        inside = ", ".join(f"{k!r}: {v!r}" for k, v in sorted(self.as_dict().items()))
        return f"ClusterSpec({{{inside}}})"


class ClusterResolver:
    """Base class of what knows a cluster: write `cluster_spec` and `master`.

    Attributes:
        task_type: The job that this process belongs to, or None.
        task_id: Its number in that job, or None.
        environment: Where the cluster runs, "" if that makes no difference.
    """

    task_type: Any = None
    task_id: Any = None
    environment = ""

    def cluster_spec(self) -> ClusterSpec:
        """Return the cluster; here an empty one."""
        return ClusterSpec({})

    def master(
        self, task_type: str | None = None, task_id: int | None = None, rpc_layer: str | None = None
    ) -> str:
        """Return the address of a task, of this one by default; "" without a cluster."""
        kind = self.task_type if task_type is None else task_type
        number = self.task_id if task_id is None else task_id
        if kind is None or number is None or not self.cluster_spec():
            return ""
        address = self.cluster_spec().task_address(kind, number)
        return f"{rpc_layer}://{address}" if rpc_layer else address

    def num_accelerators(
        self,
        task_type: str | None = None,
        task_id: int | None = None,
        config_proto: Any = None,
    ) -> dict[str, int]:
        """Return how many devices of each kind this process has, CPUs left out."""
        found: dict[str, int] = {}
        for device in jax.local_devices():
            kind = "GPU" if device.platform in ("gpu", "cuda", "rocm") else device.platform.upper()
            if kind != "CPU":
                found[kind] = found.get(kind, 0) + 1
        return found


class SimpleClusterResolver(ClusterResolver):
    """A resolver of a cluster that is given.

    Args:
        cluster_spec: A ClusterSpec.
        master: The address of the master.
        task_type: The job of this process.
        task_id: Its number in the job.
        environment: Accepted for TF's signature.
        num_accelerators: Devices by kind; None asks JAX.
        rpc_layer: Accepted, unused.
    """

    def __init__(
        self,
        cluster_spec: Any,
        master: str = "",
        task_type: str | None = None,
        task_id: int | None = None,
        environment: str = "",
        num_accelerators: Any = None,
        rpc_layer: str | None = None,
    ) -> None:
        if not isinstance(cluster_spec, ClusterSpec):
            raise TypeError(
                f"SimpleClusterResolver: `cluster_spec` must be a tf.train.ClusterSpec; got "
                f"{cluster_spec!r}."
            )
        self._spec = cluster_spec
        self._master = master
        self.task_type = task_type
        self.task_id = task_id
        self.environment = environment
        self.rpc_layer = rpc_layer
        self._accelerators = num_accelerators

    def cluster_spec(self) -> ClusterSpec:
        """Return the cluster."""
        return self._spec

    def master(
        self, task_type: str | None = None, task_id: int | None = None, rpc_layer: str | None = None
    ) -> str:
        """Return the address of a task, or the master given."""
        if task_type is not None and task_id is not None:
            return super().master(task_type, task_id, rpc_layer)
        return self._master

    def num_accelerators(
        self,
        task_type: str | None = None,
        task_id: int | None = None,
        config_proto: Any = None,
    ) -> dict[str, int]:
        """Return the devices given, or those that JAX finds."""
        return self._accelerators or super().num_accelerators()


class TFConfigClusterResolver(ClusterResolver):
    """A resolver that reads the environment variable TF_CONFIG.

    Args:
        task_type: The job of this process; None reads it.
        task_id: Its number in the job; None reads it.
        rpc_layer: Accepted, unused.
        environment: Accepted for TF's signature.
    """

    def __init__(
        self,
        task_type: str | None = None,
        task_id: int | None = None,
        rpc_layer: str | None = None,
        environment: str | None = None,
    ) -> None:
        self._type, self._id = task_type, task_id
        self.rpc_layer = rpc_layer

    @property
    def environment(self) -> str:
        """What TF_CONFIG says of where the cluster runs."""
        return _tf_config().get("environment", "")

    @property
    def task_type(self) -> Any:
        """The job of this process, or None."""
        return _tf_config().get("task", {}).get("type") if self._type is None else self._type

    @task_type.setter
    def task_type(self, value: Any) -> None:
        self._type = value

    @property
    def task_id(self) -> Any:
        """The number of this process in its job, or None."""
        if self._id is not None:
            return self._id
        found = _tf_config().get("task", {}).get("index")
        return None if found is None else int(found)

    @task_id.setter
    def task_id(self, value: Any) -> None:
        self._id = value

    def cluster_spec(self) -> ClusterSpec:
        """Return the cluster, empty without TF_CONFIG."""
        return ClusterSpec(_tf_config().get("cluster", {}))


def _tf_config() -> dict[str, Any]:
    text = os.environ.get("TF_CONFIG", "{}")
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ValueError(f"TF_CONFIG must be JSON; got {text!r}.\n  Reason: {error}") from None
    return found if isinstance(found, dict) else {}


class SlurmClusterResolver(ClusterResolver):
    """A resolver for Slurm, whose variables JAX reads by itself.

    Args:
        **kwargs: Accepted, unused.
    """

    def __init__(self, **kwargs: Any) -> None:
        number = os.environ.get("SLURM_PROCID")
        self.task_type = "worker" if number else None
        self.task_id = int(number) if number else None

    def cluster_spec(self) -> ClusterSpec:
        """Return the cluster: the tasks by number, without addresses."""
        count = int(os.environ.get("SLURM_NTASKS", "1"))
        return ClusterSpec({"worker": [f"task{i}" for i in range(count)]})


class UnionResolver(ClusterResolver):
    """A resolver of the union of other resolvers' clusters.

    Args:
        *args: The resolvers; the first one is this process's.
        **kwargs: `task_type` and `task_id` of this process.
    """

    def __init__(self, *args: ClusterResolver, **kwargs: Any) -> None:
        if not args:
            raise ValueError("UnionClusterResolver: at least one resolver must be given; got none.")
        self._resolvers = args
        self.task_type = kwargs.get("task_type", args[0].task_type)
        self.task_id = kwargs.get("task_id", args[0].task_id)

    def cluster_spec(self) -> ClusterSpec:
        """Return the jobs of all resolvers; tasks of one job follow each other."""
        jobs: dict[str, list[str]] = {}
        for resolver in self._resolvers:
            for job, tasks in resolver.cluster_spec().as_dict().items():
                jobs.setdefault(job, []).extend(
                    tasks if isinstance(tasks, list) else tasks.values()
                )
        return ClusterSpec(jobs)


class TPUClusterResolver(ClusterResolver):
    """A resolver of the TPUs that JAX finds.

    Args:
        tpu: Accepted: JAX finds the TPUs of this machine or pod by itself.
        **kwargs: TF's other arguments, accepted and unused.

    Raises:
        ValueError: this process has no TPU.
    """

    def __init__(self, tpu: str | None = None, **kwargs: Any) -> None:
        if not any(d.platform == "tpu" for d in jax.devices()):
            raise ValueError(
                f"TPUClusterResolver: a TPU is needed; the devices are {jax.devices()}.\n"
                f"  Fix: tf.distribute.MirroredStrategy() takes the devices that there are."
            )
        self._tpu = tpu

    @classmethod
    def connect(cls, tpu: str | None = None, **kwargs: Any) -> "TPUClusterResolver":
        """Return a resolver; the TPUs need no connection."""
        return cls(tpu)

    def num_tpu_cores(self) -> int:
        """Return how many TPU cores there are."""
        return sum(d.platform == "tpu" for d in jax.devices())
