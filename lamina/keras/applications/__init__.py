"""tf.keras.applications: the published image models. A file is a family.

A family is a table of stages and the functions of its blocks, written on a `Frame` (`frame.py`):
that checks the arguments, gives the input, and ends with the head and the weights. The names of
layers and variables are Keras', so that published files load.
"""

from lamina.keras.applications import (
    convnext,
    densenet,
    efficientnet,
    efficientnet_v2,
    imagenet_utils,
    inception_resnet_v2,
    inception_v3,
    mobilenet,
    mobilenet_v2,
    mobilenet_v3,
    nasnet,
    resnet,
    resnet50,
    resnet_v2,
    vgg16,
    vgg19,
    xception,
)
from lamina.keras.applications.convnext import (
    ConvNeXtBase,
    ConvNeXtLarge,
    ConvNeXtSmall,
    ConvNeXtTiny,
    ConvNeXtXLarge,
)
from lamina.keras.applications.densenet import DenseNet121, DenseNet169, DenseNet201
from lamina.keras.applications.efficientnet import (
    EfficientNetB0,
    EfficientNetB1,
    EfficientNetB2,
    EfficientNetB3,
    EfficientNetB4,
    EfficientNetB5,
    EfficientNetB6,
    EfficientNetB7,
)
from lamina.keras.applications.efficientnet_v2 import (
    EfficientNetV2B0,
    EfficientNetV2B1,
    EfficientNetV2B2,
    EfficientNetV2B3,
    EfficientNetV2L,
    EfficientNetV2M,
    EfficientNetV2S,
)
from lamina.keras.applications.inception_resnet_v2 import InceptionResNetV2
from lamina.keras.applications.inception_v3 import InceptionV3
from lamina.keras.applications.mobilenet import MobileNet
from lamina.keras.applications.mobilenet_v2 import MobileNetV2
from lamina.keras.applications.mobilenet_v3 import MobileNetV3Large, MobileNetV3Small
from lamina.keras.applications.nasnet import NASNetLarge, NASNetMobile
from lamina.keras.applications.resnet import ResNet50, ResNet101, ResNet152
from lamina.keras.applications.resnet_v2 import ResNet50V2, ResNet101V2, ResNet152V2
from lamina.keras.applications.vgg16 import VGG16
from lamina.keras.applications.vgg19 import VGG19
from lamina.keras.applications.xception import Xception
