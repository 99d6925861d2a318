"""tf.sysconfig: how the backend was built. There are no headers: operations are written in JAX."""

from typing import Any

import jax

__all__ = ["CXX11_ABI_FLAG", "CXX_VERSION", "MONOLITHIC_BUILD", "get_build_info"]

CXX11_ABI_FLAG = 1
CXX_VERSION = 201703
MONOLITHIC_BUILD = 0


def get_build_info() -> dict[str, Any]:
    """Return what the backend supports, under TensorFlow's keys.

    Returns:
        "is_cuda_build", "is_rocm_build" and "is_tensorrt_build", each a bool: whether JAX has a
        device of that kind.

    Example:
        >>> tf.sysconfig.get_build_info()["is_tensorrt_build"]
        False
    """
    platforms = {
        getattr(device.client, "platform_version", "").lower() for device in jax.local_devices()
    }
    return {
        "is_cuda_build": any("cuda" in version for version in platforms),
        "is_rocm_build": any("rocm" in version for version in platforms),
        "is_tensorrt_build": False,
    }
