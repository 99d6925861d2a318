"""The public functions of the models: their signature and their pages, written once."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from lamina.keras.applications.frame import Frame, Published
from lamina.keras.models import Model

__all__ = ["documented", "member"]

_Function = TypeVar("_Function", bound=Callable[..., Any])

_WORDS = {
    "input_shape": ("The shape of an image, `(H, W, C)`; None takes {sizes}."),
    "alpha": "The width: the factor on the numbers of channels.",
    "depth_multiplier": "How many channels each depthwise convolution makes of one.",
    "dropout": "The fraction of features dropped before the classifier, in [0, 1).",
    "minimalistic": (
        "Whether squeeze-and-excitation, hard swish and 5x5 kernels are left\n            out."
    ),
    "include_top": "Whether the classifier is part of the model.",
    "weights": (
        'None for new ones, the path of a file, or "imagenet": the published file,\n'
        "            which is kept in `~/.keras/models`, and fetched if it is not there."
    ),
    "input_tensor": "A KerasTensor to start from; None makes an input.",
    "pooling": (
        'What follows the last feature maps without the classifier: None, "avg" or\n'
        '            "max".'
    ),
    "classes": "How many classes the classifier has.",
    "dropout_rate": "The fraction of features dropped before the classifier, in [0, 1).",
    "classifier_activation": "The activation of the classifier; None gives logits.",
    "include_preprocessing": "Whether the model scales the pixels itself.",
    "name": "The model's name.",
}

_PAGE = """{summary}

    Args:
        {arguments}

    Call:
        inputs: float32, ``(B, H, W, C)``; pixels {pixels}.

    Returns:
        A functional model that gives float32 ``(B, classes)``; without the classifier the last
        feature maps, ``(B, H', W', F)``, or ``(B, F)`` with `pooling`.

    Raises:
        ValueError: an argument does not fit the architecture or the weights; the message says
            which.
        MissingFileError: the published file is not in the cache, and cannot be fetched.

    Reference: {reference}
    """


def documented(
    function: _Function, title: str, reference: str, pixels: str, fixed: bool = False
) -> _Function:
    """Give the function of a model its name and its page, made from its parameters.

    Args:
        function: The function, with the summary as its docstring: "… made for images of …".
        title: Its public name.
        reference: The paper.
        pixels: What values the pixels have.
        fixed: Whether the size is taken without the classifier, too.
    """
    summary = (function.__doc__ or "").strip()
    sizes = summary.rpartition("images of ")[2].removesuffix(".")
    if not fixed and sizes != "free sizes":
        sizes += ",\n            or free sizes without the classifier"
    names = inspect.signature(function).parameters
    described = "\n        ".join(f"{n}: {_WORDS[n].format(sizes=sizes)}" for n in names)
    function.__doc__ = _PAGE.format(
        summary=summary, arguments=described, reference=reference, pixels=pixels
    )
    function.__name__ = function.__qualname__ = title
    return function


def member(
    title: str,
    name: str,
    build: Callable[[Frame], Any],
    published: Published,
    *,
    size: int,
    reference: str,
    pixels: str,
    smallest: int = 32,
):
    """Return the public function of one model, with the signature that most families have.

    Args:
        title: The function's name.
        name: The default name of the model.
        build: Makes the layers on a Frame's input, and returns the output.
        published: The files for `weights="imagenet"`.
        size: The height and width that the model was made for.
        reference: The paper.
        pixels: What values the pixels have.
        smallest: The least height and width.
    """

    def application(
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        name: str | None = name,
    ) -> Model:
        frame = Frame(
            title,
            size,
            published,
            include_top=include_top,
            weights=weights,
            input_tensor=input_tensor,
            input_shape=input_shape,
            pooling=pooling,
            classes=classes,
            classifier_activation=classifier_activation,
            smallest=smallest,
        )
        return frame.model(build(frame), name)

    application.__doc__ = f"Return {title}, made for images of {size}x{size}."
    application.__module__ = getattr(build, "func", build).__module__
    return documented(application, title, reference, pixels)
