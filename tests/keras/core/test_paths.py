import pytest

import lamina as tf
from lamina.keras.core import paths

layers = tf.keras.layers


class Inner(layers.Layer):
    def __init__(self):
        super().__init__()
        self.attention = layers.Dense(2)
        self.heads = {"a": layers.Dense(1), "b": layers.Dense(1)}


class Outer(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [Inner(), Inner()]
        self.mlp = tf.keras.Sequential(
            [layers.Dense(3, name="first"), layers.ReLU(name="with.dot")]
        )
        self.tied = self.blocks[0].attention
        self.owner = self  # a way back up


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("blocks[1]", ["blocks[1]"]),
        ("blocks[*]", ["blocks[0]", "blocks[1]"]),
        ("blocks[*].attention", ["blocks[0].attention", "blocks[1].attention"]),
        ("blocks[*].att*", ["blocks[0].attention", "blocks[1].attention"]),
        ('blocks[0].heads["a"]', ["blocks[0].heads['a']"]),
        ("blocks[ 0 ].heads['a']", ["blocks[0].heads['a']"]),
        ("blocks[1].heads[*]", ["blocks[1].heads['a']", "blocks[1].heads['b']"]),
        ("**.first", ["mlp.first"]),
        ("mlp.**", ["mlp.first", "mlp.layers['with.dot']"]),
        ("mlp.layers[0]", ["mlp.layers[0]"]),
        ("model.mlp.first", ["mlp.first"]),
        ("tied", ["tied"]),
        ("*", ["mlp", "tied"]),
    ],
)
def test_patterns_match(pattern, expected):
    assert [path for path, _ in paths.match(Outer(), pattern)] == expected


def test_a_layer_is_found_under_each_of_its_paths():
    model = Outer()
    assert paths.match(model, "tied")[0][1] is paths.match(model, "blocks[0].attention")[0][1]


def test_all_paths_are_each_layer_once():
    found = [path for path, _ in paths.named_layers(Outer())]
    assert found[:4] == [
        "blocks[0]",
        "blocks[0].attention",
        "blocks[0].heads['a']",
        "blocks[0].heads['b']",
    ]
    assert "tied" not in found
    assert [p for p, _ in paths.match(Outer(), "**")] == found


def test_functional_models_go_by_the_names_of_layers():
    x = tf.keras.Input((4,))
    model = tf.keras.Model(x, layers.Dense(2, name="out")(tf.nn.relu(x)))
    assert [path for path, _ in paths.match(model, "out")] == ["out"]
    assert [path for path, _ in paths.match(model, "layers[1]")] == ["layers[1]"]


def test_nothing_fits_lists_what_there_is():
    with pytest.raises(ValueError, match=r"no layer's path fits 'block\[0\].atention'") as caught:
        paths.match(Outer(), "block[0].atention")
    assert "Did you mean: 'blocks[0].attention'" in str(caught.value)
    assert "Fix: take one of blocks[0], blocks[0].attention" in str(caught.value)


def test_a_layer_without_layers_says_so():
    with pytest.raises(ValueError, match="It holds no layers: it is not built yet"):
        paths.match(layers.Dense(2), "dense")


@pytest.mark.parametrize("bad", ["", "a[b]", "a[", 3, None])
def test_what_is_no_path(bad):
    with pytest.raises(ValueError, match=r"a path must look like 'encoder.blocks\[3\].attention'"):
        paths.match(Outer(), bad)


def test_is_pattern():
    assert paths.is_pattern("blocks[*]")
    assert not paths.is_pattern("blocks[0]")
