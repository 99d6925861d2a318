"""Parameter servers, as far as one process can be all of them: servers, and their strategy.

A notebook that tries the strategy out starts the servers of its workers and parameter servers
itself. Here these workers are this process: the coordinator hands each function to them in turn.
Variables lie on the device that computes, whole. A cluster of several processes is refused.
"""

from typing import Any

from lamina.distribute.cluster_resolver import ClusterSpec
from lamina.distribute.strategies import workers_devices
from lamina.distribute.strategy import Strategy
from lamina.late import late_module

__all__ = ["ParameterServerStrategy", "Server"]

_protos = late_module("lamina.protos")
_started: set[str] = set()  # addresses of the servers of this process

_FIX = (
    "  Fix: tf.distribute.MultiWorkerMirroredStrategy() in each worker, with the same TF_CONFIG of "
    "workers."
)


class Server:
    """A task of a cluster that this process plays, for programs that try parameter servers out.

    Args:
        server_or_cluster_def: A `tf.train.ClusterSpec` or what makes one, or a
            `tf.train.ServerDef`.
        job_name: The task's job; None is the only job, or that of the ServerDef.
        task_index: The task's number; None likewise.
        protocol: Accepted, unused.
        config: Accepted, unused.
        start: Whether to start it at once.

    Raises:
        ValueError: the task is none of the cluster's.

    Example:
        >>> spec = tf.train.ClusterSpec({"worker": ["localhost:2222"]})
        >>> tf.distribute.Server(spec, job_name="worker", task_index=0).target
        'grpc://localhost:2222'
    """

    def __init__(
        self,
        server_or_cluster_def: Any,
        job_name: str | None = None,
        task_index: int | None = None,
        protocol: str | None = None,
        config: Any = None,
        start: bool = True,
    ) -> None:
        given = server_or_cluster_def
        if hasattr(given, "cluster"):
            job_name = given.job_name if job_name is None else job_name
            task_index = given.task_index if task_index is None else task_index
            given = given.cluster
        spec = ClusterSpec(given)
        if job_name is None and len(spec.jobs) == 1:
            job_name = spec.jobs[0]
        if task_index is None and job_name in spec.jobs and spec.num_tasks(job_name) == 1:
            task_index = 0
        tasks = spec.as_dict().get(job_name or "", {})
        known = dict(enumerate(tasks)) if isinstance(tasks, list) else tasks
        if task_index is None or task_index not in known:
            raise ValueError(
                f"tf.distribute.Server: `job_name` and `task_index` must name a task of the "
                f"cluster {spec.as_dict()}; got {job_name!r}, {task_index!r}."
            )
        self._spec, self._job, self._index = spec, job_name, task_index
        self._address, self._protocol = known[task_index], protocol or "grpc"
        if start:
            self.start()

    def start(self) -> None:
        """Have this process play the task."""
        _started.add(self._address)

    def join(self) -> None:
        """Refuse to wait: no other process could send work.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            f"tf.distribute.Server.join: the server would wait for a coordinator in another "
            f"process, and there is none here; got {self._job!r}, task {self._index}.\n{_FIX}"
        )

    @property
    def target(self) -> str:
        """The address, as "grpc://localhost:2222"."""
        return f"{self._protocol}://{self._address}"

    @property
    def server_def(self) -> Any:
        """What the server is, as a `tf.train.ServerDef`."""
        return _protos.ServerDef(
            cluster=self._spec.as_cluster_def(),
            job_name=self._job,
            task_index=self._index,
            protocol=self._protocol,
        )

    @staticmethod
    def create_local_server(config: Any = None, start: bool = True) -> Any:
        """Return the server of a cluster of one.

        Args:
            config: Accepted, unused.
            start: Whether to start it at once.
        """
        return Server({"local": ["localhost:0"]}, protocol="grpc", start=start)


class ParameterServerStrategy(Strategy):
    """Training by a coordinator that hands steps to workers; all of them are this process.

    Programs that try the strategy out start their workers' servers themselves (`Server`), and run
    here as they are: `tf.distribute.coordinator.ClusterCoordinator` calls functions for one worker
    after the other, `fit` trains on this process' device.

    Args:
        cluster_resolver: Where the workers and parameter servers are.
        variable_partitioner: Accepted; variables stay whole.

    Raises:
        ValueError: a worker has no server in this process.

    Differs from TF: no step runs while another does, and variables are not split.
    """

    def __init__(self, cluster_resolver: Any = None, variable_partitioner: Any = None) -> None:
        spec = None if cluster_resolver is None else cluster_resolver.cluster_spec()
        workers: list[str] = []
        if spec is not None and "worker" in spec.jobs:
            workers = [w for w in spec.job_tasks("worker") if w]
        elsewhere = [w for w in workers if w not in _started]
        if not workers or elsewhere:
            raise ValueError(
                f"tf.distribute.ParameterServerStrategy: the workers must be servers of this "
                f"process, as tf.distribute.Server starts them; got {elsewhere or workers} in "
                f"others.\n{_FIX}"
            )
        self._resolver = cluster_resolver
        self._partitioner = variable_partitioner
        self._num_workers = len(workers)
        self._coordinator: Any = None
        self._set_devices(workers_devices()[:1])

    @property
    def cluster_resolver(self) -> Any:
        """The resolver given."""
        return self._resolver
