import re
import sys

import pytest

import lamina as tf
from lamina.keras.viz.drawing import Options, draw
from lamina.keras.viz.layout import Link, layered
from tests.keras.viz.models import ResNet

layers = tf.keras.layers
plot_model, model_to_dot = tf.keras.utils.plot_model, tf.keras.utils.model_to_dot
SHAPE = (None, 16, 16, 3)


def scene_of(model=None, inputs=SHAPE, **options):
    return draw((model or ResNet()).graph(inputs), Options(**options))


def inside(box, frame):
    return (
        frame.x <= box.x
        and frame.y <= box.y
        and box.x + box.width <= frame.x + frame.width
        and box.y + box.height <= frame.y + frame.height
    )


def apart(a, b):
    return (
        a.x + a.width <= b.x
        or b.x + b.width <= a.x
        or a.y + a.height <= b.y
        or b.y + b.height <= a.y
    )


# ---- layout


def test_edges_run_down_and_boxes_do_not_touch():
    sizes = {k: (60.0, 20.0) for k in "abcdef"}
    links = [Link(*pair) for pair in ("ab", "ac", "bd", "cd", "ad", "df", "af", "ef")]
    layout = layered(sizes, links)
    for link, route in zip(links, layout.routes, strict=True):
        assert layout.places[link.source][1] < layout.places[link.target][1]
        ys = [y for _, y in route]
        assert ys == sorted(ys)
    places = list(layout.places.values())
    for i, (x, y) in enumerate(places):
        for u, v in places[:i]:
            assert y != v or abs(x - u) >= 60
    # A source stands just above what uses it.
    assert layout.places["e"][1] == layout.places["d"][1]


def test_long_edges_pass_beside_the_nodes():
    sizes = {k: (60.0, 20.0) for k in "abcd"}
    layout = layered(sizes, [Link(*pair) for pair in ("ab", "bc", "cd", "ad")])
    x, y = layout.places["b"]
    for px, py in layout.routes[3]:
        assert not (x < px < x + 60 and y < py < y + 20)


def test_an_empty_graph_has_no_size():
    assert layered({}, []).width == 0


@pytest.mark.parametrize("rankdir", ["TB", "BT", "LR", "RL"])
def test_boxes_lie_in_their_frames_in_every_direction(rankdir):
    scene = scene_of(expand_nested=True, show_shapes=True, rankdir=rankdir)
    frames = {f.title: f for f in scene.frames}
    assert len(frames) == 2
    for box in scene.boxes:
        assert inside(box, scene_frame(scene))
        for frame in scene.frames:
            assert inside(box, frame) or apart(box, frame)
    for i, box in enumerate(scene.boxes):
        assert all(apart(box, other) for other in scene.boxes[:i])


def scene_frame(scene):
    whole = type("Whole", (), {})()
    whole.x = whole.y = 0
    whole.width, whole.height = scene.width, scene.height
    return whole


def test_lines_join_at_the_borders_of_frames():
    scene = scene_of(expand_nested=True)
    ends = {(round(x, 1), round(y, 1)) for line in scene.lines for x, y in line.points[-1:]}
    starts = {(round(x, 1), round(y, 1)) for line in scene.lines for x, y in line.points[:1]}
    headless = [line for line in scene.lines if not line.has_head]
    assert headless
    for line in headless:
        x, y = line.points[-1]
        assert (round(x, 1), round(y, 1)) in starts
    assert ends


# ---- what is drawn


def test_a_subclassed_model_is_drawn_call_by_call():
    scene = scene_of(show_layer_names=True)
    assert [box.lines[0].text for box in scene.boxes] == [
        "x", "stem", "relu", "blocks[0]", "blocks[1]", "pool", "drop", "head", "output",
    ]  # fmt: skip
    assert len(scene.lines) == 8
    scene = scene_of(expand_nested=True, show_layer_names=True)
    titles = [box.lines[0].text for box in scene.boxes]
    assert titles.count("add") == 2
    assert "relu · call 2" in titles
    assert {f.title for f in scene.frames} == {"blocks[0] (Block)", "blocks[1] (Block)"}


def test_what_the_options_show():
    model = tf.keras.Sequential([tf.keras.Input((4,)), layers.Dense(2, activation="relu")])
    texts = [t.text for t in scene_of(model, None).boxes[1].lines]
    assert texts == ["Dense"]
    model.layers[0].trainable = False
    scene = scene_of(
        model,
        None,
        show_shapes=True,
        show_dtype=True,
        show_layer_names=True,
        show_layer_activations=True,
        show_trainable=True,
    )
    assert [t.text for t in scene.boxes[1].lines][1:] == [
        "Dense",
        "activation relu",
        "(None, 4) → (None, 2)",
        "float32",
        "frozen",
    ]


# ---- files


def test_svg_needs_nothing_and_escapes(tmp_path):
    model = tf.keras.Sequential([tf.keras.Input((4,)), layers.Dense(2, name="a<b&c")])
    before = "matplotlib.pyplot" in sys.modules  # of another test in this process
    plot_model(model, tmp_path / "m.svg", show_layer_names=True)
    text = (tmp_path / "m.svg").read_text()
    assert text.startswith("<svg ")
    assert "a&lt;b&amp;c" in text
    assert "a<b" not in text
    assert ("matplotlib.pyplot" in sys.modules) == before


@pytest.mark.parametrize("splines", ["ortho", "curved", "line"])
def test_every_kind_of_line_is_drawn(splines):
    svg = scene_of(expand_nested=True, splines=splines).to_svg()
    letters = set(re.findall(r"[MLQC](?=[\d-])", svg))
    assert ("Q" in letters) == (splines == "ortho")
    assert ("C" in letters) == (splines == "curved")


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_pixels_and_pages(tmp_path, ending, start):
    pytest.importorskip("matplotlib")
    path = tmp_path / f"m.{ending}"
    assert plot_model(ResNet(), path, inputs=SHAPE, show_shapes=True, dpi=60) is None
    assert path.read_bytes().startswith(start)


def test_dots_per_inch():
    pytest.importorskip("matplotlib")
    drawing = model_to_dot(ResNet(), inputs=SHAPE, dpi=96)
    png = drawing.create_png()
    width, height = (int.from_bytes(png[i : i + 4], "big") for i in (16, 20))
    assert (width, height) == pytest.approx((drawing.scene.width, drawing.scene.height), abs=2)


def test_without_matplotlib_it_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    with pytest.raises(ImportError, match="matplotlib draws png files") as caught:
        plot_model(ResNet(), tmp_path / "m.png", inputs=SHAPE)
    assert "Fix: pip install matplotlib, or to_file='model.svg'." in str(caught.value)


def test_dot_text(tmp_path):
    drawing = model_to_dot(ResNet(), inputs=SHAPE, expand_nested=True, show_shapes=True)
    text = drawing.to_string()
    assert text.startswith('digraph "res_net')
    assert "subgraph cluster_" in text
    assert 'label="blocks[0] (Block)"' in text
    assert text.count(" -> ") == len(drawing.graph.edges)
    assert model_to_dot(ResNet(), inputs=SHAPE, subgraph=True).to_string().startswith("subgraph")
    drawing.write(tmp_path / "m.dot")
    assert (tmp_path / "m.dot").read_text() == text
    assert drawing.create_svg().startswith(b"<svg ")


# ---- errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rankdir": "UP"}, r"`rankdir` must be one of .*; got 'UP'"),
        ({"splines": "wavy"}, r"`splines` must be one of .*; got 'wavy'"),
        ({"layer_range": ["a", "b"]}, r"unrecognized keyword arguments \['layer_range'\]"),
        ({"to_file": "m.gif2"}, r"`to_file` must end in svg, png, pdf, jpg or dot; got 'm.gif2'"),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        plot_model(ResNet(), **{"to_file": None, "inputs": SHAPE} | options)


def test_never_called_without_inputs():
    with pytest.raises(ValueError, match="its inputs are not known"):
        plot_model(ResNet(), None)
