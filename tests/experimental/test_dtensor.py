"""tf.experimental.dtensor, on six virtual CPU devices in a process of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

import lamina as tf
from lamina.experimental import dtensor

_SCRIPT = r"""
import lamina as tf
from lamina.experimental import dtensor
tf.random.set_seed(1)  # touches no device
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 6)
names = [f"CPU:{i}" for i in range(6)]
mesh = dtensor.create_mesh([("x", 3), ("y", 2)], devices=names)
assert (mesh.shape(), mesh.size, mesh.dim_size("y")) == ([3, 2], 6, 2)
assert mesh.local_device_locations()[3] == {"x": 1, "y": 1}
split = dtensor.Layout(["y", "x"], mesh)
assert split.shape == [2, 3]
assert split.delete([0]) == dtensor.Layout(["x"], mesh)

a = dtensor.copy_to_mesh([[1, 2, 3], [4, 5, 6]], dtensor.Layout.replicated(mesh, 2))
a = dtensor.relayout(a, split)
assert dtensor.fetch_layout(a) == split
assert [p.numpy().tolist() for p in dtensor.unpack(a)] == [[[n]] for n in (1, 4, 2, 5, 3, 6)]
b = dtensor.relayout([[6, 5], [4, 3], [2, 1]], dtensor.Layout(["x", dtensor.UNSHARDED], mesh))
c = tf.matmul(a, b)
assert c.numpy().tolist() == [[20, 14], [56, 41]]
assert dtensor.fetch_layout(c).sharding_specs == ["y", dtensor.UNSHARDED]
packed = dtensor.pack([[n] for n in range(6)], dtensor.Layout(["x"], dtensor.create_mesh({"x": 6})))
assert packed.numpy().tolist() == [0, 1, 2, 3, 4, 5]

whole = dtensor.Layout.replicated(mesh, 2)
v = dtensor.DVariable(dtensor.call_with_layout(tf.ones, whole, shape=(4, 2)))
x = dtensor.relayout(tf.ones((6, 4)), dtensor.Layout.batch_sharded(mesh, "x", 2))


@tf.function
def step(x):
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(x @ v)
    v.assign_sub(tape.gradient(y, v))
    return y


assert step(x).numpy() == 48
assert (v.numpy() == -5).all()
assert v.layout == dtensor.fetch_layout(v.read_value()) == whole
try:
    v.assign(dtensor.relayout(tf.ones((4, 2)), dtensor.Layout.replicated(
        dtensor.create_mesh([("x", 6)], devices=names), 2)))
except ValueError as error:
    assert "stays what it is" in str(error)
else:
    raise AssertionError
"""


def test_tensors_and_variables_over_a_mesh():
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_what_does_not_fit_a_mesh_is_refused():
    mesh = dtensor.create_mesh([("x", 1)], devices=["CPU:0"])
    with pytest.raises(ValueError, match="each at most once"):
        dtensor.Layout(["z"], mesh)
    with pytest.raises(ValueError, match="must be equal to total size"):
        dtensor.create_mesh([("x", 2)], devices=["CPU:0"])
    with pytest.raises(ValueError, match="only replicated layouts"):
        dtensor.copy_to_mesh(tf.ones([2]), dtensor.Layout(["x"], mesh))
    with pytest.raises(ValueError, match="rank 1 was expected"):
        dtensor.relayout(tf.ones([2, 2]), dtensor.Layout(["x"], mesh))
    with pytest.raises(ValueError, match="a Tensor on a mesh"):
        dtensor.fetch_layout(tf.ones([2]))
