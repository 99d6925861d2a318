"""Layers that mix images, erase parts, choose from others, and pipelines."""

import numpy as np
import pytest

import lamina as tf

layers = tf.keras.layers
PAIR = np.stack([np.zeros((6, 8, 3)), np.ones((6, 8, 3)) * 100]).astype("float32")
LABELS = np.eye(2, dtype="float32")


def _tensors(**values):
    return {k: tf.constant(v) for k, v in values.items()}


def test_mix_up_mixes_images_labels_and_masks_alike():
    layer = layers.MixUp()
    how = _tensors(mix_weight=np.array([0.75, 0.5], "f"), permutation_order=[1, 0])
    images = layer.transform_images(PAIR, how).numpy()
    np.testing.assert_allclose(images[:, 0, 0, 0], [25, 50])
    labels = layer.transform_labels(LABELS, how).numpy()
    np.testing.assert_allclose(labels, [[0.75, 0.25], [0.5, 0.5]])
    masks = layer.transform_segmentation_masks(np.array([[[[0]]], [[[4]]]]), how).numpy()
    np.testing.assert_allclose(masks.ravel(), [1, 2])
    boxes = {"boxes": np.array([[[0, 0, 1, 1]], [[2, 2, 3, 3]]], "f"), "labels": [[5], [6]]}
    both = layer.transform_bounding_boxes(boxes, how)
    assert both["labels"].numpy().tolist() == [[5, 6], [6, 5]]
    assert both["boxes"].shape == (2, 2, 4)


def test_cut_mix_weighs_labels_by_the_area_left():
    layer = layers.CutMix(seed=3)
    data = {"images": PAIR, "labels": LABELS, "segmentation_masks": PAIR[..., :1]}
    how = layer.get_random_transformation(data)
    inside = how["batch_masks"].numpy()[..., 0]
    np.testing.assert_allclose(
        1 - how["mix_weight"].numpy(), inside.mean((1, 2)), atol=0.25
    )  # whole pixels against lengths
    how["permutation_order"] = tf.constant([1, 0])
    images = layer.transform_images(PAIR, how).numpy()
    np.testing.assert_array_equal(images[0, ..., 0] == 100, inside[0])
    np.testing.assert_array_equal(images[1, ..., 0] == 0, inside[1])
    masks = layer.transform_segmentation_masks(PAIR[..., :1], how).numpy()
    np.testing.assert_array_equal(masks[..., 0], images[..., 0])


def test_cut_mix_leaves_a_single_image_and_refuses_boxes():
    layer = layers.CutMix(bounding_box_format="xyxy")
    np.testing.assert_array_equal(layer(PAIR[1], training=True).numpy(), PAIR[1])
    boxes = {"boxes": np.ones((2, 1, 4), "f"), "labels": [[1], [2]]}
    with pytest.raises(NotImplementedError, match="boxes cannot follow"):
        layer({"images": PAIR, "bounding_boxes": boxes}, training=True)


def test_erasing_fills_one_rectangle():
    layer = layers.RandomErasing((1.0, 1.0), (0.25, 0.25), fill_value=[1, 2, 3], seed=1)
    erased = layer(PAIR + 50, training=True).numpy()
    inside = erased[..., 0] == 1
    np.testing.assert_array_equal(erased[inside], np.tile([1.0, 2.0, 3.0], (inside.sum(), 1)))
    for one in inside:
        rows, columns = np.nonzero(one)
        assert one[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].all()
        assert 12 - 7 <= one.sum() <= 12 + 7  # a quarter of 48 pixels, edges cut at pixels


def test_erasing_takes_noise_in_the_range_and_may_spare_images():
    noisy = layers.RandomErasing((1.0, 1.0), (1.0, 1.0), value_range=(0, 1), seed=1)
    result = noisy(PAIR * 0, training=True).numpy()
    assert result.min() == 0.0
    assert result.max() == 1.0
    np.testing.assert_array_equal(layers.RandomErasing(0.0)(PAIR, training=True).numpy(), PAIR)


@pytest.mark.parametrize("fill_value", [[1, 2], "black"])
def test_erasing_refuses_other_fill_values(fill_value):
    with pytest.raises(ValueError, match="`fill_value` must be a number, three numbers or None"):
        layers.RandomErasing(fill_value=fill_value)


# --- layers made of layers ------------------------------------------------------------------------


def test_rand_augment_applies_what_was_chosen():
    layer = layers.RandAugment(num_ops=2, seed=1)
    how = layer.get_random_transformation(PAIR)
    names = list(how["transforms"])
    chosen = [names.index("random_brightness"), names.index("random_translation")]
    how["layer_idxes"] = tf.constant(chosen)
    steps = layer.random_brightness.transform_images(PAIR, how["transforms"]["random_brightness"])
    steps = layer.random_translation.transform_images(
        steps, how["transforms"]["random_translation"]
    )
    np.testing.assert_allclose(layer.transform_images(PAIR, how).numpy(), steps, atol=1e-4)
    mask = PAIR[..., :1].astype("int32")
    moved = layer.random_translation.transform_segmentation_masks(
        mask, how["transforms"]["random_translation"]
    )
    np.testing.assert_array_equal(layer.transform_segmentation_masks(mask, how), moved)


@pytest.mark.slow
def test_rand_augment_chooses_anew_at_each_call_in_a_function():
    layer = layers.RandAugment(num_ops=1, seed=2)
    ramp = np.arange(192, dtype="float32").reshape(1, 8, 8, 3)
    run = tf.function(lambda x: layer(x, training=True))
    results = {run(ramp).numpy().tobytes() for _ in range(6)}
    assert len(results) >= 4


def test_aug_mix_mixes_by_its_weights():
    layer = layers.AugMix(num_chains=2, chain_depth=1, seed=1)
    how = layer.get_random_transformation(PAIR)
    np.testing.assert_allclose(how["chain_mixing_weights"].numpy().sum(), 1, atol=1e-5)
    none = tf.constant([[len(layer.order)]] * 2)
    unchanged = layer.transform_images(PAIR, {**how, "layer_idxes": none}).numpy()
    np.testing.assert_allclose(unchanged, PAIR, atol=1e-3)
    solar = tf.constant([[layer.order.index("solarization")]] * 2)
    how = {**how, "layer_idxes": solar, "units": tf.zeros_like(how["units"])}
    own = how["weight_sample"].numpy()
    wanted = own * PAIR + (1 - own) * (255 - PAIR)
    np.testing.assert_allclose(layer.transform_images(PAIR, how).numpy(), wanted, atol=1e-2)


def test_aug_mix_has_fewer_layers_without_all_ops():
    assert len(layers.AugMix(all_ops=False).order) == 7
    assert len(layers.AugMix().order) == 11


def test_pipeline_runs_its_layers_and_keeps_training_in_mind():
    flip = layers.RandomBrightness((0.1, 0.1))
    pipeline = layers.Pipeline([flip, layers.Rescaling(0.5)])
    np.testing.assert_allclose(pipeline(PAIR, training=True).numpy()[0], 12.75, atol=1e-4)
    np.testing.assert_allclose(pipeline(PAIR, training=False).numpy(), PAIR / 2)
    copy = layers.Pipeline.from_config(pipeline.get_config())
    assert [type(x).__name__ for x in copy.layers] == ["RandomBrightness", "Rescaling"]
    assert set(pipeline.get_config()) == {"name", "layers"}


def test_a_pipeline_passes_masks_on():
    class Seen(tf.keras.layers.Layer):
        supports_masking = True

        def call(self, inputs, mask=None):
            self.seen = mask is not None
            return inputs

    pipeline = tf.keras.layers.Pipeline([Seen(), Seen()])
    pipeline(np.ones((1, 2), "float32"), mask=np.ones((1, 2), bool))
    assert [layer.seen for layer in pipeline.layers] == [True, True]
    with pytest.raises(ValueError, match='list "layers"; got None'):
        tf.keras.layers.Pipeline.from_config({"name": "p"})
