"""tf.experimental.dtensor: Tensors laid out over a mesh of devices, by JAX's shardings."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from lamina.engine import Tensor, Variable, convert_to_tensor, local, nest, op, type_of
from lamina.ops.placement import devices_of, parse_name

__all__ = [
    "MATCH",
    "UNSHARDED",
    "DVariable",
    "Layout",
    "Mesh",
    "call_with_layout",
    "check_layout",
    "client_id",
    "copy_to_mesh",
    "create_mesh",
    "fetch_layout",
    "is_dtensor",
    "local_devices",
    "num_clients",
    "num_global_devices",
    "num_local_devices",
    "pack",
    "preferred_device_type",
    "relayout",
    "relayout_like",
    "unpack",
]

UNSHARDED = "unsharded"
MATCH = "match"

_meshes: dict[Any, "Mesh"] = {}


class Mesh:
    """Devices on a grid with named dimensions; `create_mesh` makes one.

    Args:
        dims: The names and sizes of the dimensions.
        devices: The jax devices, as many as the sizes multiply to.
        name: The mesh's name.
    """

    def __init__(self, dims: Sequence[tuple[str, int]], devices: Sequence[Any], name: str = ""):
        self._dims = dict(dims)
        self.name = name
        grid = np.array(devices, object).reshape(list(self._dims.values()))
        self._jax = jax.sharding.Mesh(grid, tuple(self._dims))
        _meshes[self._jax] = self

    @property
    def dim_names(self) -> list[str]:
        """The names of the dimensions."""
        return list(self._dims)

    @property
    def size(self) -> int:
        """The number of devices."""
        return self._jax.size

    def shape(self) -> list[int]:
        """Return the sizes of the dimensions."""
        return list(self._dims.values())

    def dim_size(self, dim_name: str) -> int:
        """Return the size of a dimension.

        Raises:
            ValueError: there is no such dimension.
        """
        if dim_name not in self._dims:
            raise ValueError(
                f'"{dim_name}" not a dimension name in current mesh. Dimension names: '
                f"{self.dim_names}."
            )
        return self._dims[dim_name]

    def contains_dim(self, dim_name: str) -> bool:
        """Return whether there is a dimension of that name."""
        return dim_name in self._dims

    def device_type(self) -> str:
        """Return the kind of the devices."""
        return _kind(self._jax.devices.flat[0])

    def num_local_devices(self) -> int:
        """Return the number of devices of this process."""
        return len(self._jax.local_devices)

    def local_devices(self) -> list[str]:
        """Return the names of this process's devices."""
        return [_name(d) for d in self._jax.local_devices]

    def local_device_locations(self) -> list[dict[str, int]]:
        """Return where each of this process's devices is on the grid, a dict by dimension."""
        return [
            dict(zip(self._dims, map(int, place), strict=True))
            for place in np.ndindex(*self.shape())
        ]

    def is_remote(self) -> bool:
        """Return whether the devices are those of other processes only."""
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mesh) and self._jax == other._jax

    def __hash__(self) -> int:
        return hash(self._jax)

    def to_string(self) -> str:
        """Return the name, the dimensions, and the devices' numbers and names."""
        sizes = ",".join(f"{k}={v}" for k, v in self._dims.items())
        numbers = ",".join(map(str, range(self.size)))
        names = ",".join(_name(d) for d in self._jax.devices.flat)
        return f"{self.name}|{sizes}|{numbers}|{numbers}|{names}"

    def __repr__(self) -> str:
        return f"Mesh.from_string({self.to_string()})"


def _kind(device: Any) -> str:
    return "GPU" if device.platform in ("gpu", "cuda", "rocm") else device.platform.upper()


def _name(device: Any) -> str:
    return f"/job:localhost/replica:0/task:0/device:{_kind(device)}:{device.id}"


class Layout:
    """Over which mesh dimension each axis of a Tensor is split.

    Args:
        sharding_specs: For each axis the name of a mesh dimension, or `UNSHARDED`.
        mesh: The Mesh.

    Raises:
        ValueError: a name is not the mesh's, or comes twice.
    """

    def __init__(self, sharding_specs: Sequence[str], mesh: Mesh):
        self.sharding_specs = list(sharding_specs)
        self.mesh = mesh
        used = [s for s in self.sharding_specs if s != UNSHARDED]
        for each in used:
            if not mesh.contains_dim(each) or used.count(each) > 1:
                raise ValueError(
                    f"tf.experimental.dtensor.Layout: `sharding_specs` must name dimensions of "
                    f"the mesh, {mesh.dim_names}, each at most once; got {self.sharding_specs}.\n"
                    f"  Fix: write UNSHARDED for an axis that is not split."
                )

    @classmethod
    def replicated(cls, mesh: Mesh, rank: int) -> "Layout":
        """Return the layout of a Tensor that each device holds whole."""
        return cls([UNSHARDED] * rank, mesh)

    @classmethod
    def batch_sharded(cls, mesh: Mesh, batch_dim: str, rank: int, axis: int = 0) -> "Layout":
        """Return the layout of a Tensor that is split along one axis, the first unless told."""
        specs = [UNSHARDED] * rank
        specs[axis] = batch_dim
        return cls(specs, mesh)

    @classmethod
    def inner_sharded(cls, mesh: Mesh, inner_dim: str, rank: int) -> "Layout":
        """Return the layout of a Tensor that is split along its last axis."""
        return cls.batch_sharded(mesh, inner_dim, rank, -1)

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.sharding_specs)

    @property
    def shape(self) -> list[int]:
        """For each axis the number of parts."""
        return [self.num_shards(i) for i in range(self.rank)]

    def num_shards(self, idx: int) -> int:
        """Return the number of parts of an axis."""
        spec = self.sharding_specs[idx]
        return 1 if spec == UNSHARDED else self.mesh.dim_size(spec)

    def is_fully_replicated(self) -> bool:
        """Return whether each device holds the whole Tensor."""
        return all(s == UNSHARDED for s in self.sharding_specs)

    def delete(self, dims: Iterable[int]) -> "Layout":
        """Return the layout without some of the axes."""
        gone = {d % self.rank for d in dims}
        return Layout([s for i, s in enumerate(self.sharding_specs) if i not in gone], self.mesh)

    def global_shape_from_local_shape(self, local_shape: Sequence[int]) -> list[int]:
        """Return the shape of the whole from that of a part."""
        return [n * k for n, k in zip(local_shape, self.shape, strict=True)]

    def local_shape_from_global_shape(self, global_shape: Sequence[int]) -> list[int]:
        """Return the shape of a part from that of the whole."""
        return [n // k for n, k in zip(global_shape, self.shape, strict=True)]

    def offset_to_shard(self) -> list[tuple[int, ...]]:
        """Return, for each device, which part of each axis it holds."""
        return [
            tuple(0 if s == UNSHARDED else at[s] for s in self.sharding_specs)
            for at in self.mesh.local_device_locations()
        ]

    def _sharding(self) -> NamedSharding:
        specs = [None if s == UNSHARDED else s for s in self.sharding_specs]
        return NamedSharding(self.mesh._jax, PartitionSpec(*specs))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Layout)
            and self.sharding_specs == other.sharding_specs
            and self.mesh == other.mesh
        )

    def __hash__(self) -> int:
        return hash((tuple(self.sharding_specs), self.mesh))

    def to_string(self) -> str:
        """Return the specs, and the mesh."""
        return f"sharding_specs:{','.join(self.sharding_specs)}, mesh:{self.mesh.to_string()}"

    def __repr__(self) -> str:
        return f"Layout.from_string({self.to_string()})"


def create_mesh(
    mesh_dims: Any = None,
    mesh_name: str = "",
    devices: Sequence[str] | None = None,
    device_type: str | None = None,
    use_xla_spmd: bool = False,
) -> Mesh:
    """Put devices on a grid.

    Args:
        mesh_dims: A list of (name, size), or a dict; None is one dimension, "x", of all devices.
        mesh_name: The mesh's name.
        devices: The names of the devices, as "CPU:0"; None takes all of `device_type`.
        device_type: "CPU", "GPU" or "TPU"; None is the kind that the process prefers.
        use_xla_spmd: Accepted, unused: XLA always splits the programs.

    Raises:
        ValueError: a device is not there, or their number does not fit the sizes.

    Example:
        >>> from lamina.experimental import dtensor
        >>> dtensor.create_mesh([("x", 1)], devices=["CPU:0"]).shape()
        [1]
    """
    who = "tf.experimental.dtensor.create_mesh"
    if devices is None:
        found = devices_of((device_type or preferred_device_type()).upper())
    else:
        found = [_device(who, name) for name in devices]
    dims = [("x", len(found))] if mesh_dims is None else mesh_dims
    dims = list(dims.items()) if isinstance(dims, Mapping) else [(n, int(k)) for n, k in dims]
    count = int(np.prod([k for _, k in dims]))
    if count != len(found):
        raise ValueError(
            f"{who}: length of devices ({len(found)}) must be equal to total size of the mesh of "
            f"shape {[k for _, k in dims]}.\n  Fix: tf.config.set_logical_device_configuration "
            f"splits the CPU to try a mesh out."
        )
    return Mesh(dims, found, mesh_name)


def _device(who: str, name: Any) -> Any:
    parsed = parse_name(who, name)
    found = devices_of(parsed[0]) if parsed else []
    if parsed is None or parsed[1] >= len(found):
        raise ValueError(f"{who}: `devices` must name devices of this process; got {name!r}.")
    return found[parsed[1]]


def preferred_device_type() -> str:
    """Return the kind of device that the process computes on: "TPU", "GPU" or "CPU"."""
    return _kind(jax.devices()[0])


def local_devices(device_type: str) -> list[str]:
    """Return the names of this process's devices of a kind."""
    return [_name(d) for d in devices_of(device_type.upper())]


def num_local_devices(device_type: str) -> int:
    """Return the number of this process's devices of a kind."""
    return len(devices_of(device_type.upper()))


def num_global_devices(device_type: str) -> int:
    """Return the number of all processes' devices of a kind."""
    return num_local_devices(device_type) * num_clients()


def num_clients() -> int:
    """Return the number of processes."""
    return jax.process_count()


def client_id() -> int:
    """Return the number of this process."""
    return jax.process_index()


@op(differentiable=True)
def _laid_out(x, *, sharding):
    return jax.lax.with_sharding_constraint(x, sharding)


def _put(tensor: Tensor, layout: Layout) -> Tensor:
    if len(tensor.shape) != layout.rank or any(
        n is not None and n % k for n, k in zip(tensor.shape, layout.shape, strict=True)
    ):
        raise ValueError(
            f"tf.experimental.dtensor: a Tensor of rank {layout.rank} was expected, with sizes "
            f"that the parts {layout.shape} divide; got shape {tensor.shape}.\n"
            f"  Fix: pad it, or leave the axis UNSHARDED."
        )
    if not local.trace.eager:
        return _laid_out(tensor, sharding=layout._sharding())
    with jax.enable_x64(True):
        value = jax.device_put(tensor._jax(), layout._sharding())
    return Tensor(tensor._type, None, 0, value)


def copy_to_mesh(tensor: Any, layout: Layout, source_layout: Layout | None = None) -> Tensor:
    """Copy a Tensor to all devices of a mesh.

    Args:
        tensor: A Tensor, or what converts to one.
        layout: A layout that splits no axis.
        source_layout: Accepted, unused.

    Raises:
        ValueError: `layout` splits an axis; `relayout` does that.
    """
    if not layout.is_fully_replicated():
        raise ValueError(
            f"tf.experimental.dtensor.copy_to_mesh: only replicated layouts are supported; got "
            f"{layout.sharding_specs}.\n  Fix: relayout the copy."
        )
    return _put(convert_to_tensor(tensor), layout)


def relayout(tensor: Any, layout: Layout, name: str | None = None) -> Tensor:
    """Return a Tensor in another layout."""
    return _put(convert_to_tensor(tensor), layout)


def relayout_like(tensor: Any, layout_tensor: Any, name: str | None = None) -> Tensor:
    """Return a Tensor in the layout of another."""
    return relayout(tensor, fetch_layout(layout_tensor))


def fetch_layout(tensor: Any) -> Layout:
    """Return the layout of a Tensor or Variable.

    Raises:
        ValueError: it is not laid out over a mesh.
    """
    found = _layout_of(tensor)
    if found is None:
        raise ValueError(
            "tf.experimental.dtensor.fetch_layout: a Tensor on a mesh was expected; got one that "
            "is not.\n  Fix: copy_to_mesh, relayout or pack make such Tensors."
        )
    return found


def _layout_of(tensor: Any) -> Layout | None:
    if isinstance(tensor, DVariable):
        return tensor.layout
    if not isinstance(tensor, Tensor | Variable) or not local.trace.eager:
        return None
    value: Any = (tensor._read() if isinstance(tensor, Variable) else tensor)._jax()
    sharding = getattr(value, "sharding", None)
    mesh = _meshes.get(sharding.mesh) if isinstance(sharding, NamedSharding) else None
    if mesh is None or sharding is None:
        return None
    specs = [UNSHARDED if s is None else s for s in sharding.spec]
    specs = [s[0] if isinstance(s, tuple) else s for s in specs]
    return Layout(specs + [UNSHARDED] * (value.ndim - len(specs)), mesh)


def is_dtensor(tensor: Any) -> bool:
    """Return whether a Tensor is laid out over a mesh."""
    return _layout_of(tensor) is not None


def check_layout(tensor: Any, layout: Layout) -> None:
    """Check that a Tensor has a layout.

    Raises:
        ValueError: it has another.
    """
    found = fetch_layout(tensor)
    if found != layout:
        raise ValueError(f"Layout of tensor: {found}, did not match expected layout: {layout}")


def call_with_layout(
    fn: Callable[..., Any], layout: Layout | None, *args: Any, **kwargs: Any
) -> Any:
    """Call a function, and lay out what it returns; None for `layout` just calls it."""
    result = fn(*args, **kwargs)
    return result if layout is None else nest.map_structure(lambda t: relayout(t, layout), result)


def pack(tensors: Sequence[Any], layout: Layout) -> Tensor:
    """Make one Tensor of the parts that the devices of this process hold.

    Args:
        tensors: A Tensor, or what converts to one, for each local device of the mesh, in order.
        layout: The layout of the whole.

    Raises:
        ValueError: their number is not that of the devices.
    """
    devices = layout.mesh._jax.local_devices
    if len(tensors) != len(devices):
        raise ValueError(
            f"tf.experimental.dtensor.pack: expected {len(devices)} components for the mesh; got "
            f"{len(tensors)}."
        )
    parts = [convert_to_tensor(t) for t in tensors]
    shape = tuple(layout.global_shape_from_local_shape([int(n) for n in parts[0].shape]))
    with jax.enable_x64(True):
        arrays = [jax.device_put(t._jax(), d) for t, d in zip(parts, devices, strict=True)]
        value = jax.make_array_from_single_device_arrays(shape, layout._sharding(), arrays)
    return Tensor(type_of(shape, parts[0].dtype), None, 0, value)


def unpack(tensor: Any) -> list[Tensor]:
    """Return the parts of a Tensor that the devices of this process hold, in their order."""
    layout = fetch_layout(tensor)
    source = tensor._read() if isinstance(tensor, Variable) else tensor
    by_device = {s.device: s.data for s in source._jax().addressable_shards}
    parts = [by_device[d] for d in layout.mesh._jax.devices.flat if d in by_device]
    return [Tensor(type_of(p.shape, source.dtype), None, 0, p) for p in parts]


class DVariable(Variable):
    """A Variable whose values have the layout of its first one.

    Args:
        initial_value: A Tensor on a mesh, or what makes one.
        *args: As in `tf.Variable`.
        dtype: As in `tf.Variable`.
        **kwargs: As in `tf.Variable`.
    """

    def __init__(self, initial_value: Any, *args: Any, dtype: Any = None, **kwargs: Any):
        value = initial_value() if callable(initial_value) else initial_value
        self._layout = _layout_of(convert_to_tensor(value, dtype))
        super().__init__(value, *args, dtype=dtype, **kwargs)

    @property
    def layout(self) -> Layout | None:
        """The layout; None if the initial value had none."""
        return self._layout

    @property
    def handle(self) -> "DVariable":
        """The variable."""
        return self

    def _checked(self, value: Any) -> Any:
        found = _layout_of(value)
        if found is not None and self._layout is not None and found.mesh != self._layout.mesh:
            raise ValueError(
                f"tf.experimental.dtensor.DVariable: the layout of a variable stays what it is, "
                f"{self._layout}; got a value laid out by {found}."
            )
        return value

    def assign(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        """Give the variable another value of its layout."""
        return super().assign(self._checked(value), *args, **kwargs)
