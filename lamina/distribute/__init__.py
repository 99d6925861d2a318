"""tf.distribute: strategies, which share a program's work between devices.

A strategy of one replica calls functions as they are, at no cost. With several, `strategy.run`
records the replica's function once (`together.py`), on values of one replica, with the exchanges
of replicas as operations (`lax.psum` and its like), and runs that program on all devices at once
by `jax.shard_map`; variables made under the strategy lie on all devices. So statistics of batches,
random numbers and metrics are those of a replica, as in TF. What one program cannot hold (shapes
that differ between replicas, Python that asks for values) runs replica by replica in threads that
meet where values are exchanged (`turns.py`): the same results, slower. BatchNormalization's moving
statistics are those of the first replica, as TF's primary copies are.

Partitioning one program of the whole batch instead (GSPMD) would be simpler, but its meaning is
another: batch statistics over all replicas, one loss where TF has one for each, no replica
context. Nor is it faster: on 4 virtual CPU devices (2 cores) a step of a 3-layer MLP (1024 units,
batch 256, Adam) took 235 ms together, 508 ms by GSPMD and 652 ms in turns; 198 ms on one device.

Rooms: `values` (what is passed) → `context` (which replica) → `together`, `turns` (two ways to
run) → `strategy`, `strategies`, `inputs`, `cluster_resolver` → `servers`, `partitioners` and
`coordinator` (parameter servers in one process) → `experimental`.
"""

from lamina.distribute import cluster_resolver, coordinator, experimental
from lamina.distribute.context import (
    ReplicaContext,
    experimental_set_strategy,
    get_replica_context,
    get_strategy,
    has_strategy,
    in_cross_replica_context,
)
from lamina.distribute.inputs import DistributedDataset, DistributedIterator
from lamina.distribute.servers import ParameterServerStrategy, Server
from lamina.distribute.strategies import (
    CrossDeviceOps,
    HierarchicalCopyAllReduce,
    MirroredStrategy,
    MultiWorkerMirroredStrategy,
    NcclAllReduce,
    OneDeviceStrategy,
    ReductionToOneDevice,
    TPUStrategy,
)
from lamina.distribute.strategy import Strategy, StrategyExtended
from lamina.distribute.values import (
    DistributedValues,
    InputContext,
    InputOptions,
    InputReplicationMode,
    ReduceOp,
    RunOptions,
)

__all__ = [
    "CrossDeviceOps",
    "DistributedDataset",
    "DistributedIterator",
    "DistributedValues",
    "HierarchicalCopyAllReduce",
    "InputContext",
    "InputOptions",
    "InputReplicationMode",
    "MirroredStrategy",
    "MultiWorkerMirroredStrategy",
    "NcclAllReduce",
    "OneDeviceStrategy",
    "ParameterServerStrategy",
    "ReduceOp",
    "ReductionToOneDevice",
    "ReplicaContext",
    "RunOptions",
    "Server",
    "Strategy",
    "StrategyExtended",
    "TPUStrategy",
    "cluster_resolver",
    "coordinator",
    "experimental",
    "experimental_set_strategy",
    "get_replica_context",
    "get_strategy",
    "has_strategy",
    "in_cross_replica_context",
]
