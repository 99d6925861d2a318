"""tf.keras.utils.bounding_boxes: numbers of Keras 3.15, and errors."""

import numpy as np
import pytest

import lamina as tf

boxes = tf.keras.utils.bounding_boxes
PAIR = np.array([[1, 1, 3, 2], [0, 0, 4, 3]], "float32")
# The first box in each format, in an image 4 high and 8 wide.
FORMATS = {
    "xyxy": [1, 1, 3, 2],
    "yxyx": [1, 1, 2, 3],
    "xywh": [1, 1, 2, 1],
    "center_xywh": [2, 1.5, 2, 1],
    "center_yxhw": [1.5, 2, 1, 2],
    "rel_xyxy": [0.125, 0.25, 0.375, 0.5],
    "rel_yxyx": [0.25, 0.125, 0.5, 0.375],
    "rel_xywh": [0.125, 0.25, 0.25, 0.25],
    "rel_center_xywh": [0.25, 0.375, 0.25, 0.25],
}


@pytest.mark.parametrize("source", FORMATS)
def test_each_format_converts_to_each(source):
    for target, wanted in FORMATS.items():
        given = np.array([FORMATS[source]], "float32")
        result = boxes.convert_format(given, source, target, height=4, width=8).numpy()
        np.testing.assert_allclose(result, [wanted], atol=1e-6)


def test_converting_takes_dicts_and_dtypes():
    given = {"boxes": PAIR, "labels": [1, 2]}
    result = boxes.convert_format(given, "xyxy", "yxyx", dtype="float64")
    assert result["boxes"].dtype == "float64"
    assert result["labels"] == [1, 2]
    assert given["boxes"] is PAIR


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((PAIR, "xyxz", "xyxy"), "must be formats of boxes; got 'xyxz'"),
        ((PAIR, "xyxy", "rel_xyxy"), "`height` and `width` must be given"),
        ((PAIR[:, :3], "xyxy", "xyxy"), "the last axis of `boxes` must have size 4"),
    ],
)
def test_converting_refuses_what_does_not_fit(arguments, text):
    with pytest.raises(ValueError, match=text):
        boxes.convert_format(*arguments)


def test_clipping_marks_what_is_not_seen():
    given = {"boxes": np.array([[-4, -4, -1, -1], [-1, 0, 2, 9]], "f"), "labels": [5, 6]}
    result = boxes.clip_to_image_size(given, 4, 8)
    assert result["boxes"].numpy().tolist() == [[0, 0, 0, 0], [0, 0, 2, 4]]
    assert result["labels"].numpy().tolist() == [-1, 6]
    relative = {"boxes": np.array([[-0.5, 0.5, 0.5, 1.5]], "f")}
    result = boxes.clip_to_image_size(relative, bounding_box_format="rel_xyxy")
    assert result["boxes"].numpy().tolist() == [[0, 0.5, 0.5, 1]]


def test_clipping_refuses_other_formats_and_missing_sizes():
    with pytest.raises(NotImplementedError, match="`bounding_box_format` must be"):
        boxes.clip_to_image_size({"boxes": PAIR}, 4, 8, "xywh")
    with pytest.raises(ValueError, match="`height` and `width` must be given"):
        boxes.clip_to_image_size({"boxes": PAIR})


def test_affine_transform_gives_keras_numbers():
    one = [np.array([v], "float32") for v in (30.0, 0.1, -0.2, 1.5, 10.0, 5.0)]
    result = boxes.affine_transform(PAIR[None], *one, 10, 20).numpy().ravel()
    wanted = [-5.065, 0.195, -1.251, 2.832, -7.466, -1.806, 1.15, 4.833]
    np.testing.assert_allclose(result, wanted, atol=2e-3)


def test_crop_and_pad_shift_boxes():
    result = boxes.crop(PAIR, top=1, left=1, height=2, width=2).numpy()
    assert result.tolist() == [[0, 0, 2, 1], [0, 0, 2, 2]]
    assert boxes.pad(PAIR, 2, 3).numpy()[0].tolist() == [4, 3, 6, 4]
    for move in (boxes.crop, boxes.pad):
        with pytest.raises(NotImplementedError, match="`bounding_box_format` must be 'xyxy'"):
            move(PAIR, 0, 0, 1, 1, bounding_box_format="yxyx")


def test_iou_gives_keras_numbers():
    other = np.array([[0, 1, 2, 3], [-1, -1, -1, -1]], "float32")
    result = boxes.compute_iou(PAIR, other, "xyxy").numpy()
    np.testing.assert_allclose(result, [[0.2, 0], [0.3333, 0]], atol=1e-4)
    masked = boxes.compute_iou(PAIR, other, "xyxy", use_masking=True).numpy()
    np.testing.assert_allclose(masked, [[0.2, -1], [0.3333, -1]], atol=1e-4)
    relative = boxes.compute_iou(
        PAIR / 10, other[:1] / 10, "rel_yxyx", image_shape=(10, 10, 3)
    ).numpy()
    np.testing.assert_allclose(relative, [[0.2], [0.3333]], atol=1e-4)
    batched = boxes.compute_iou(np.stack([PAIR] * 3), other, "xyxy")
    assert batched.shape == (3, 2, 2)


def test_ciou_gives_keras_numbers():
    other = np.array([[0, 1, 2, 3], [1, 0, 3, 3]], "float32")
    result = boxes.compute_ciou(PAIR, other, "xyxy").numpy()
    np.testing.assert_allclose(result, [0.102, 0.496], atol=1e-3)


def test_comparing_refuses_what_does_not_fit():
    for compare in (boxes.compute_iou, boxes.compute_ciou):
        with pytest.raises(ValueError, match="`image_shape` must be given"):
            compare(PAIR, PAIR, "rel_xyxy")
    with pytest.raises(ValueError, match="`boxes2` must have rank 2 or 3"):
        boxes.compute_iou(PAIR, PAIR[0], "xyxy")


def test_deltas_give_keras_numbers_and_go_back():
    goal, variance = PAIR * 1.5 + 0.5, [0.1, 0.1, 0.2, 0.2]
    deltas = boxes.encode_box_to_deltas(PAIR, goal, "xyxy", "xyxy", variance=variance)
    wanted = [12.5, 7.5, 2.027, 2.027, 4.167, 3.75, 2.027, 2.027]
    np.testing.assert_allclose(deltas.numpy().ravel(), wanted, atol=1e-3)
    back = boxes.decode_deltas_to_boxes(PAIR, deltas, "xyxy", "xyxy", variance=variance)
    np.testing.assert_allclose(back.numpy(), goal, atol=1e-4)
    levels = boxes.decode_deltas_to_boxes(
        {"a": PAIR}, {"a": deltas}, "xyxy", "xyxy", variance=variance
    )
    np.testing.assert_allclose(levels["a"].numpy(), goal, atol=1e-4)


def test_deltas_take_other_formats():
    result = boxes.encode_box_to_deltas(
        PAIR, PAIR * 1.5 + 0.5, "xywh", "xyxy", encoding_format="center_xywh"
    )
    wanted = [0.333, 0.375, 0, -0.288, 0.375, 0.417, 0.405, 0.405]
    np.testing.assert_allclose(result.numpy().ravel(), wanted, atol=1e-3)
    deltas = np.array([[0.1, 0.2, 0.3, -0.1], [0, 0.5, -0.2, 0.1]], "float32")
    result = boxes.decode_deltas_to_boxes(
        PAIR,
        deltas,
        "xyxy",
        "rel_xyxy",
        variance=[0.1, 0.1, 0.2, 0.2],
        image_shape=(4, 8, 3),
    )
    wanted = [0.132, 0.245, 0.378, 0.51, 0.02, 0.015, 0.53, 0.735]
    np.testing.assert_allclose(result.numpy().ravel(), wanted, atol=1e-3)


def test_deltas_refuse_other_encodings():
    with pytest.raises(ValueError, match="`encoding_format` must be"):
        boxes.encode_box_to_deltas(PAIR, PAIR, "xyxy", "xyxy", encoding_format="xyxy")
    with pytest.raises(ValueError, match="`encoded_format` must be"):
        boxes.decode_deltas_to_boxes(PAIR, PAIR, "xyxy", "xyxy", encoded_format="xyxy")
    with pytest.raises(ValueError, match="`variance` must have length 4"):
        boxes.encode_box_to_deltas(PAIR, PAIR, "xyxy", "xyxy", variance=[1.0, 2.0])
