"""Variables by attribute path, and states as plain nested dicts."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras.models import Model, Sequential

layers = tf.keras.layers
X = np.ones((2, 4), "float32")


class Net(Model):
    """Layers in attributes, lists, dicts and tuples."""

    def __init__(self):
        super().__init__()
        self.first = layers.Dense(3, use_bias=False)
        self.blocks = [layers.ReLU(), layers.Dense(3, use_bias=False)]
        self.heads = {"a b": (layers.Dense(1),), 7: layers.Dense(2, use_bias=False)}
        self.same = self.first

    def build(self, shape):
        self.add_weight(name="loose", shape=(2,))
        self.scale = self.add_weight(name="other", shape=(1,))

    def call(self, x):
        x = self.blocks[1](self.blocks[0](self.first(x)))
        return self.heads["a b"][0](x) + self.heads[7](x) * self.scale


@pytest.fixture
def net():
    model = Net()
    model(X)
    return model


PATHS = [
    "first.kernel",
    "blocks[1].kernel",
    "heads['a b'][0].kernel",
    "heads['a b'][0].bias",
    "heads[7].kernel",
    "scale",
    "loose",
]


def test_variables_have_attribute_paths(net):
    assert [path for path, _ in net.named_variables()] == PATHS
    assert {id(v) for _, v in net.named_variables()} == {id(v) for v in net.variables}


def test_connected_layers_go_by_their_names_or_places():
    inner = Sequential([tf.keras.Input((4,)), layers.Dense(2, use_bias=False)])
    model = Sequential([tf.keras.Input((4,)), layers.Dense(4, name="first"), inner])
    assert [path for path, _ in model.named_variables()] == [
        "first.kernel",
        "first.bias",
        "layers[1].layers[0].kernel",
    ]


def test_the_state_is_plain_and_nested(net):
    state = net.state_dict()
    assert set(state) == {"first", "blocks", "heads", "scale", "loose"}
    assert state["blocks"][0] == {}
    assert type(state["blocks"][1]["kernel"]) is np.ndarray
    assert set(state["heads"]) == {"a b", 7}
    assert state["heads"]["a b"][0]["bias"].shape == (1,)


def test_a_state_goes_into_another_model(net):
    other = Net()
    other(X)
    assert other.load_state_dict(net.state_dict()) == ([], [])
    np.testing.assert_array_equal(other(X).numpy(), net(X).numpy())


def test_a_state_can_be_edited(net):
    state = net.state_dict()
    state["scale"] = [3.0]
    state["heads"]["a b"][0]["bias"][:] = 2
    net.load_state_dict(state)
    assert net.scale.numpy() == [3.0]
    assert net.heads["a b"][0].bias.numpy() == [2.0]


def test_differences_are_a_table_and_nothing_changes(net):
    state = net.state_dict()
    state["first"]["kernel"] = np.zeros((5, 3), "float32")
    state["scale"] = np.array([1j])
    state["extra"] = {"w": np.zeros(2)}
    del state["loose"]
    before = net.get_weights()
    with pytest.raises(ValueError, match="needs a value for each variable") as caught:
        net.load_state_dict(state)
    text = str(caught.value)
    assert "4 differ, and nothing was changed" in text
    rows = [" ".join(line.split()) for line in text.splitlines()[1:6]]
    assert rows == [
        "variable state model status",
        "first.kernel float32(5, 3) float32(4, 3) shape differs",
        "scale complex128(1,) float32(1,) dtype differs",
        "loose - float32(2,) missing in the state",
        "extra.w float64(2,) - not in the model",
    ]
    assert text.endswith("or pass strict=False to load what there is.")
    for a, b in zip(before, net.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_strict_false_returns_what_is_left(net):
    left = net.load_state_dict({"scale": np.ones(1), "new": {"w": 1.0}}, strict=False)
    assert left.missing == [p for p in PATHS if p != "scale"]
    assert left.unexpected == ["new.w"]
    with pytest.raises(ValueError, match="shape differs"):
        net.load_state_dict({"scale": np.ones(2)}, strict=False)


def test_an_unbuilt_model_says_so(net):
    with pytest.raises(ValueError, match="is not built: call it on data first"):
        Net().load_state_dict(net.state_dict())
