"""Every model has Keras' layers, names, weights and sizes."""

import inspect
import zlib

import pytest

import lamina as tf

applications = tf.keras.applications

# Function, name, image size, parameters, layers, checksum of the names of layers and weights;
# parameters and layers without the classifier. The numbers are those of Keras 3.15, but for
# NASNetLarge without classifier, which Keras builds for free sizes, where it cannot run.
MODELS = [
    ("ConvNeXtBase", "convnext_base", 224, 88591464, 261, 0x0E74A9D8, 87566464, 259),
    ("ConvNeXtLarge", "convnext_large", 224, 197767336, 261, 0xFEA11F40, 196230336, 259),
    ("ConvNeXtSmall", "convnext_small", 224, 50223688, 261, 0x64691EFA, 49454688, 259),
    ("ConvNeXtTiny", "convnext_tiny", 224, 28589128, 135, 0x7FDA0D30, 27820128, 133),
    ("ConvNeXtXLarge", "convnext_xlarge", 224, 350196968, 261, 0x14C3BDF9, 348147968, 259),
    ("DenseNet121", "densenet121", 224, 8062504, 429, 0x4F20EBE1, 7037504, 427),
    ("DenseNet169", "densenet169", 224, 14307880, 597, 0x22AB3233, 12642880, 595),
    ("DenseNet201", "densenet201", 224, 20242984, 709, 0xF3A50EF5, 18321984, 707),
    ("EfficientNetB0", "efficientnetb0", 224, 5330571, 240, 0x26A805C3, 4049571, 237),
    ("EfficientNetB1", "efficientnetb1", 240, 7856239, 342, 0x3E3DF664, 6575239, 339),
    ("EfficientNetB2", "efficientnetb2", 260, 9177569, 342, 0xB951D4BE, 7768569, 339),
    ("EfficientNetB3", "efficientnetb3", 300, 12320535, 387, 0xE1F7BA94, 10783535, 384),
    ("EfficientNetB4", "efficientnetb4", 380, 19466823, 477, 0x84D0F99C, 17673823, 474),
    ("EfficientNetB5", "efficientnetb5", 456, 30562527, 579, 0x26F2EFC4, 28513527, 576),
    ("EfficientNetB6", "efficientnetb6", 528, 43265143, 669, 0xA6B7A12D, 40960143, 666),
    ("EfficientNetB7", "efficientnetb7", 600, 66658687, 816, 0xF716132D, 64097687, 813),
    ("EfficientNetV2B0", "efficientnetv2-b0", 224, 7200312, 273, 0x569B4110, 5919312, 270),
    ("EfficientNetV2B1", "efficientnetv2-b1", 240, 8212124, 337, 0x3486A088, 6931124, 334),
    ("EfficientNetV2B2", "efficientnetv2-b2", 260, 10178374, 352, 0x0B9194FF, 8769374, 349),
    ("EfficientNetV2B3", "efficientnetv2-b3", 300, 14467622, 412, 0x162B7024, 12930622, 409),
    ("EfficientNetV2L", "efficientnetv2-l", 480, 119027848, 1031, 0x68430650, 117746848, 1028),
    ("EfficientNetV2M", "efficientnetv2-m", 480, 54431388, 743, 0x13BF6A12, 53150388, 740),
    ("EfficientNetV2S", "efficientnetv2-s", 384, 21612360, 516, 0x19978A37, 20331360, 513),
    ("InceptionResNetV2", "inception_resnet_v2", 299, 55873736, 782, 0x51BB3C1D, 54336736, 780),
    ("InceptionV3", "inception_v3", 299, 23851784, 313, 0x6AE62A46, 21802784, 311),
    ("MobileNet", "mobilenet_1.00_224", 224, 4253864, 91, 0x7CB8D536, 3228864, 86),
    ("MobileNetV2", "mobilenetv2_1.00_224", 224, 3538984, 156, 0x19D6539F, 2257984, 154),
    ("MobileNetV3Large", "MobileNetV3Large", None, 5507432, 194, 0xBAF4DDEF, 2996352, 187),
    ("MobileNetV3Small", "MobileNetV3Small", None, 2554968, 164, 0x0C7A8108, 939120, 157),
    ("NASNetLarge", "nasnet_large", 331, 88949818, 1041, 0x82FD4744, 84916818, 1039),
    ("NASNetMobile", "nasnet_mobile", 224, 5326716, 771, 0xF74D9A86, 4269716, 769),
    ("ResNet101", "resnet101", 224, 44707176, 347, 0x80C17CC9, 42658176, 345),
    ("ResNet101V2", "resnet101v2", 224, 44675560, 379, 0x77819CF9, 42626560, 377),
    ("ResNet152", "resnet152", 224, 60419944, 517, 0x7E363125, 58370944, 515),
    ("ResNet152V2", "resnet152v2", 224, 60380648, 566, 0x6ED31556, 58331648, 564),
    ("ResNet50", "resnet50", 224, 25636712, 177, 0xD30C1875, 23587712, 175),
    ("ResNet50V2", "resnet50v2", 224, 25613800, 192, 0x1505C34B, 23564800, 190),
    ("VGG16", "vgg16", 224, 138357544, 23, 0x880BCC6D, 14714688, 19),
    ("VGG19", "vgg19", 224, 143667240, 26, 0x9B6F9A6B, 20024384, 22),
    ("Xception", "xception", 299, 22910480, 134, 0x0FEDD650, 20861480, 132),
]
QUICK = ("EfficientNetB0", "MobileNet", "MobileNetV2", "MobileNetV3Small", "ResNet50", "ResNet50V2")
SLOW_OR_NOT = [
    pytest.param(*row, id=row[0], marks=[] if row[0] in QUICK else [pytest.mark.slow])
    for row in MODELS
]


def _checksum(model):
    lines = [f"{la.name} {type(la).__name__}" for la in model.layers]
    lines += [f"{v.path} {tuple(v.shape)} {v.trainable}" for v in model.weights]
    return zlib.crc32("\n".join(lines).encode())


@pytest.mark.parametrize(
    ("title", "name", "size", "count", "depth", "checksum", "bare_count", "bare_depth"), SLOW_OR_NOT
)
def test_layers_and_weights_are_those_of_keras(
    title, name, size, count, depth, checksum, bare_count, bare_depth
):
    function = getattr(applications, title)
    model = function(weights=None)
    assert model.name == name
    assert model.input_shape == (None, size, size, 3)
    assert model.output_shape == (None, 1000)
    assert (model.count_params(), len(model.layers)) == (count, depth)
    assert _checksum(model) == checksum
    bare = function(weights=None, include_top=False)
    assert (bare.count_params(), len(bare.layers)) == (bare_count, bare_depth)


# One of each family: options, output shape, parameters, of Keras 3.15.
VARIANTS = [
    ("VGG16", {"include_top": False, "input_shape": (64, 64, 1)}, (2, 2, 512), 14713536),
    ("ResNet50", {"classes": 3, "input_shape": (32, 32, 3)}, (3,), 23593859),
    ("ResNet50V2", {"include_top": False, "pooling": "max"}, (2048,), 23564800),
    ("MobileNet", {"include_top": False, "alpha": 0.5, "pooling": "avg"}, (512,), 829536),
    (
        "MobileNet",
        {"include_top": False, "alpha": 0.75, "pooling": "max", "input_shape": (33, 65, 3)},
        (768,),
        1832976,
    ),
    ("MobileNetV2", {"include_top": False, "alpha": 1.4, "pooling": "avg"}, (1792,), 4363712),
    (
        "MobileNetV2",
        {"alpha": 0.35, "classes": 10, "input_shape": (97, 97, 3)},
        (10,),
        423018,
    ),
    ("MobileNetV3Small", {"minimalistic": True}, (1000,), 2056848),
    (
        "MobileNetV3Small",
        {"include_top": False, "alpha": 0.5, "pooling": "avg", "input_shape": (64, 64, 3)},
        (288,),
        278784,
    ),
    pytest.param(
        "EfficientNetV2B0",
        {"include_top": False, "input_shape": (64, 64, 1)},
        (2, 2, 1280),
        5918736,
        marks=pytest.mark.slow,
    ),
    pytest.param(
        "EfficientNetV2S",
        {"include_preprocessing": False, "classes": 4},
        (4,),
        20336484,
        marks=pytest.mark.slow,
    ),
    pytest.param(
        "ConvNeXtTiny",
        {"include_preprocessing": False, "include_top": False, "pooling": "avg"},
        (768,),
        27820128,
        marks=pytest.mark.slow,
    ),
    pytest.param(
        "NASNetMobile",
        {"include_top": False, "pooling": "max", "input_shape": (97, 75, 3)},
        (1056,),
        4269716,
        marks=pytest.mark.slow,
    ),
]


@pytest.mark.parametrize(("title", "options", "shape", "count"), VARIANTS)
def test_options_change_the_architecture_as_in_keras(title, options, shape, count):
    model = getattr(applications, title)(weights=None, **options)
    assert model.output_shape[1:] == shape
    assert model.count_params() == count


def test_every_model_has_a_row():
    functions = {n for n, f in vars(applications).items() if inspect.isfunction(f) and n[0] != "_"}
    assert functions == {row[0] for row in MODELS}


def test_signatures_keep_the_default_names_and_order():
    parameters = inspect.signature(applications.VGG16).parameters
    assert list(parameters)[:3] == ["include_top", "weights", "input_tensor"]
    assert parameters["name"].default == "vgg16"
    assert list(inspect.signature(applications.ConvNeXtTiny).parameters)[1] == (
        "include_preprocessing"
    )
    assert next(iter(inspect.signature(applications.NASNetLarge).parameters)) == "input_shape"


def test_submodules_have_the_models_and_their_preprocessing():
    assert applications.resnet50.ResNet50 is applications.ResNet50
    assert applications.vgg19.VGG19 is applications.VGG19
    assert applications.vgg16.preprocess_input is applications.resnet.preprocess_input
    decode = applications.imagenet_utils.decode_predictions
    assert applications.densenet.decode_predictions is decode


def test_pages_name_every_argument():
    page = applications.MobileNet.__doc__ or ""
    assert page.startswith("Return MobileNet, made for images of 224x224.")
    for name in inspect.signature(applications.MobileNet).parameters:
        assert f"        {name}: " in page
    assert "https://arxiv.org/abs/1704.04861" in page
