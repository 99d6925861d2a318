"""Boxes and glimpses of images: each expected value is TensorFlow 2.21's."""

import numpy as np
import pytest

import lamina as tf

Invalid = tf.errors.InvalidArgumentError
ONE, HALF = [0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.9]


def test_boxes_are_drawn_one_pixel_wide_and_cut_off():
    found = tf.image.draw_bounding_boxes(
        np.zeros((1, 6, 8, 3), np.float32), [[[-0.5, -0.2, 0.5, 0.5], [2, 2, 3, 3]]], [[1.0, 0, 0]]
    )
    expected = np.zeros((6, 8))
    expected[:3, 3] = expected[2, :4] = 1
    np.testing.assert_array_equal(found.numpy()[0, ..., 0], expected)


def test_boxes_without_colours_are_yellow_then_blue():
    found = tf.image.draw_bounding_boxes(np.zeros((1, 4, 4, 3), np.float32), [[HALF, ONE]], None)
    assert found.numpy()[0, 0, 3].tolist() == [0, 0, 1]
    only = tf.image.draw_bounding_boxes(np.zeros((1, 4, 4, 3), np.float32), [[ONE]], None)
    assert only.numpy()[0, 0, 3].tolist() == [1, 1, 0]
    none = tf.image.draw_bounding_boxes(
        np.zeros((1, 4, 4, 3), np.float32), [[ONE]], np.zeros((0, 3), np.float32)
    )
    np.testing.assert_array_equal(none.numpy(), only.numpy())


def test_channels_of_colours_that_the_image_lacks_are_left_out():
    found = tf.image.draw_bounding_boxes(
        np.zeros((1, 4, 4, 3), np.float32), [[ONE]], [[0.1, 0.2, 0.3, 0.4]]
    )
    np.testing.assert_allclose(found.numpy()[0, 0, 3], [0.1, 0.2, 0.3])


@pytest.mark.parametrize(
    ("size", "place", "options", "expected"),
    [
        ((3, 3), [0.0, 0.0], {}, [[7, 8, 9], [13, 14, 15], [19, 20, 21]]),
        ((2, 4), [0.5, -0.5], {}, [[12, 13, 14, 15], [18, 19, 20, 21]]),
        ((3, 3), [-1.0, -1.0], {}, [[0, 0, 0], [0, 0, 1], [0, 6, 7]]),
        ((3, 3), [1.0, 2.0], {"centered": False, "normalized": False},
         [[8, 9, 10], [14, 15, 16], [20, 21, 22]]),
        ((3, 3), [1.0, 2.0], {"normalized": False}, [[23, 0, 0], [29, 0, 0], [0, 0, 0]]),
        ((3, 3), [0.1, 0.2], {"centered": False}, [[1, 2, 3], [7, 8, 9], [13, 14, 15]]),
    ],
)  # fmt: skip
def test_glimpses(size, place, options, expected):
    image = np.arange(30, dtype=np.float32).reshape(1, 5, 6, 1)
    found = tf.image.extract_glimpse(image, size, [place], noise="zero", **options)
    assert found.numpy()[0, ..., 0].tolist() == expected


def test_noise_lies_outside_of_the_image_only():
    image = np.full((1, 2, 2, 1), 5, np.float32)
    found = tf.image.extract_glimpse(image, (4, 4), [[0.0, 0.0]], noise="uniform").numpy()
    assert (found == 5).sum() == 4
    assert found[0, 0, 0, 0] < 1


def test_combined_suppression_pads_and_clips():
    boxes = np.array([[[ONE], [HALF], [[0, 0, 2, 0.2]]]], np.float32)
    found = tf.image.combined_non_max_suppression(boxes, [[[0.9], [0.8], [0.7]]], 3, 4)
    assert found.valid_detections.numpy().tolist() == [2]
    assert found.nmsed_scores.numpy()[0].tolist() == pytest.approx([0.9, 0.7, 0, 0])
    assert found.nmsed_boxes.numpy()[0, 1].tolist() == pytest.approx([0, 0, 1, 0.2])


def test_suppression_by_given_overlaps():
    found = tf.image.non_max_suppression_overlaps([[1.0, 0.9], [0.9, 1.0]], [0.3, 0.7], 2)
    assert found.numpy().tolist() == [1]


def test_padded_suppression_of_a_batch():
    boxes = np.array([[ONE, HALF], [ONE, [2, 2, 3, 3]]], np.float32)
    chosen, count = tf.image.non_max_suppression_padded(
        boxes, [[0.9, 0.8], [0.1, 0.2]], 3, pad_to_max_output_size=True
    )
    assert chosen.numpy().tolist() == [[0, 0, 0], [1, 0, 0]]
    assert count.numpy().tolist() == [1, 2]


def test_proposals_are_moved_scaled_and_cut():
    boxes, scores = tf.image.generate_bounding_box_proposals(
        tf.constant([[[[0.5]]]]),
        tf.constant([[[[0.5, 0.0, np.log(2.0), 0.0]]]], tf.float32),
        [[40.0, 64.0, 1.0, 0.0, 0.0]],
        [[0.0, 0.0, 20.0, 32.0]],
        post_nms_topn=2,
    )
    assert boxes.numpy()[0].tolist() == [[0, 0, 40, 32], [0, 0, 0, 0]]
    assert scores.numpy()[0].tolist() == [0.5, 0]


def test_a_random_window_holds_the_object():
    for seed in range(5):
        begin, size, box = tf.image.stateless_sample_distorted_bounding_box(
            (40, 50, 3), [[[0.4, 0.4, 0.6, 0.6]]], (1, seed), 1.0, area_range=(0.3, 1.0)
        )
        top, left, bottom, right = box.numpy().ravel()
        assert top <= 0.4
        assert left <= 0.4
        assert bottom >= 0.6 - 1e-6
        assert right >= 0.6 - 1e-6
        assert begin.numpy()[2] == 0
        assert size.numpy()[2] == -1


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: tf.image.draw_bounding_boxes(np.zeros((2, 2, 3)), [[ONE]], None), Invalid,
         "must have shape"),
        (lambda: tf.image.draw_bounding_boxes(np.zeros((2, 2, 2, 3)), [[ONE]], None), Invalid,
         "boxes of each of the 2 images"),
        (lambda: tf.image.draw_bounding_boxes(np.zeros((1, 2, 2, 3)), [[ONE]], [[1.0]]), Invalid,
         "C at least the images' 3 channels"),
        (lambda: tf.image.crop_and_resize(np.zeros((2, 2, 2, 3)), [ONE], [2], (1, 1)),
         tf.errors.OutOfRangeError, r"must lie in \[0, 2\)"),
        (lambda: tf.image.crop_and_resize(np.zeros((2, 2, 2, 3)), [ONE], [-1], (1, 1)),
         tf.errors.OutOfRangeError, r"got \[-1\]"),
        (lambda: tf.image.extract_glimpse(np.zeros((1, 2, 2, 1)), (1, 1), [[0.0, 0]], noise="x"),
         Invalid, "could only be uniform, gaussian, or zero"),
        (lambda: tf.image.extract_glimpse(np.zeros((1, 2, 2, 1)), (1, 1), [[0.0]]), Invalid,
         r"`offsets` \(B, 2\)"),
        (lambda: tf.image.combined_non_max_suppression([[ONE]], [[[0.9]]], 1, 1), ValueError,
         r"must be \(B, N, Q, 4\)"),
        (lambda: tf.image.non_max_suppression_overlaps([[1.0]], [0.3, 0.7], 2), ValueError,
         r"\(N, N\)"),
        (lambda: tf.image.non_max_suppression_padded([[ONE]], [[0.9]], 1), ValueError,
         "must be True for a batch"),
        (lambda: tf.image.sample_distorted_bounding_box((4, 4, 3), np.zeros((1, 0, 4))), Invalid,
         "No bounding boxes provided"),
        (lambda: tf.image.sample_distorted_bounding_box((4, 4, 3), [[[0.0, 0, 2, 1]]]), Invalid,
         r"must be in \[0.0, 1.0\]"),
    ],
)  # fmt: skip
def test_errors(call, error, text):
    with pytest.raises(error, match=text):
        call()
