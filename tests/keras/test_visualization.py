"""tf.keras.visualization: boxes, masks and galleries."""

import sys

import numpy as np
import pytest

import lamina as tf

visualization = tf.keras.visualization
IMAGES = np.zeros((2, 20, 24, 3))
BOXES = {
    "boxes": np.array([[[4.0, 4, 15, 12], [0, 0, 3, 3]]] * 2),
    "labels": np.array([[1, -1], [0, -1]]),
}


def test_boxes_are_drawn():
    found = visualization.draw_bounding_boxes(IMAGES, BOXES, "xyxy", color=(9, 8, 7))
    assert (found.shape, found.dtype) == (IMAGES.shape, np.uint8)
    assert found[0, 4, 4:16].tolist() == [[9, 8, 7]] * 12
    assert found[0, 5:12, 15].tolist() == [[9, 8, 7]] * 7
    assert found[0, 0].max() == found[0, 8, 8].max() == 0
    np.testing.assert_array_equal(found[0], found[1])


def test_other_formats_and_orders_of_axes():
    boxes = BOXES | {"boxes": np.array([[[4.0, 4, 11, 8], [0, 0, 3, 3]]] * 2)}
    expected = visualization.draw_bounding_boxes(IMAGES, BOXES, "xyxy")
    np.testing.assert_array_equal(
        visualization.draw_bounding_boxes(IMAGES, boxes, "xywh"), expected
    )
    first = visualization.draw_bounding_boxes(
        IMAGES.transpose(0, 3, 1, 2), BOXES, "xyxy", data_format="channels_first"
    )
    np.testing.assert_array_equal(first.transpose(0, 2, 3, 1), expected)


def test_names_are_written():
    boxes = BOXES | {"confidences": np.full((2, 2), 0.5)}
    plain = visualization.draw_bounding_boxes(IMAGES, BOXES, "xyxy")
    named = visualization.draw_bounding_boxes(IMAGES, boxes, "xyxy", class_mapping={1: "i"})
    assert (named[0] != plain[0]).any()
    np.testing.assert_array_equal(named[1], plain[1])


def test_masks_are_blended_as_keras_does():
    images = np.full((1, 2, 2, 3), 100.0)
    masks = np.array([[[[0], [1]], [[2], [-1]]]])
    colors = {0: (0, 0, 0), 1: (200, 0, 0), 2: (0, 200, 0)}
    found = visualization.draw_segmentation_masks(images, masks, 3, colors, alpha=0.5)
    assert found[0].tolist() == [
        [[50, 50, 50], [150, 50, 50]],
        [[50, 150, 50], [100, 100, 100]],
    ]
    own = visualization.draw_segmentation_masks(images, masks, 3, blend=False)
    assert own[0, 0, 1].tolist() == [
        (2**25 - 1) % 255,
        (2**15 - 1) % 255,
        (2**21 - 1) % 255,
    ]


@pytest.fixture
def figures(monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    return matplotlib


@pytest.mark.filterwarnings("ignore:The figure layout has changed")
def test_galleries_are_saved(figures, tmp_path):
    classes = {"y_true": np.array([0, 1]), "y_pred": np.array([1, 1])}
    visualization.plot_image_gallery(
        IMAGES, label_map={0: "a", 1: "b"}, path=tmp_path / "a.png", **classes
    )
    visualization.plot_bounding_box_gallery(
        IMAGES, "xyxy", BOXES, BOXES, legend=True, path=tmp_path / "b.png", rows=1, cols=2
    )
    masks = np.zeros((2, 20, 24, 1), int)
    visualization.plot_segmentation_mask_gallery(
        IMAGES, 2, y_true=masks, y_pred=masks, path=tmp_path / "c.png"
    )
    for name in "abc":
        assert (tmp_path / f"{name}.png").stat().st_size > 100
    from matplotlib import pyplot

    assert pyplot.get_fignums() == []


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (
            lambda v: v.draw_bounding_boxes(IMAGES[0], BOXES, "xyxy"),
            ValueError,
            "`images` must be a batch",
        ),
        (lambda v: v.draw_bounding_boxes(IMAGES, [], "xyxy"), TypeError, "must be a dict"),
        (
            lambda v: v.draw_bounding_boxes(IMAGES, {"boxes": 1}, "xyxy"),
            ValueError,
            "must hold 'boxes' and 'labels'",
        ),
        (
            lambda v: v.draw_segmentation_masks(IMAGES, IMAGES, 2),
            TypeError,
            "`segmentation_masks` must be ints; got float64",
        ),
        (
            lambda v: v.plot_image_gallery(IMAGES, y_true=[1, 2]),
            ValueError,
            "need the names of the classes",
        ),
        (
            lambda v: v.plot_image_gallery(IMAGES, path="x", show=True),
            ValueError,
            "only one of `path` and `show`",
        ),
        (
            lambda v: v.plot_bounding_box_gallery(IMAGES, "xyxy", legend=True, legend_handles=[1]),
            ValueError,
            "only one of `legend` and `legend_handles`",
        ),
    ],
)
def test_bad_arguments(call, error, says):
    with pytest.raises(error, match=says):
        call(visualization)


def test_matplotlib_is_asked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"it needs matplotlib.*\n  Fix: pip install"):
        visualization.plot_image_gallery(IMAGES)
