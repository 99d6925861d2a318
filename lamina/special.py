"""tf.math.special: Bessel functions and other functions of mathematical physics."""

from lamina.ops.bessel import *
from lamina.ops.special import dawsn as dawsn
from lamina.ops.special import expint as expint
from lamina.ops.special import fresnel_cos as fresnel_cos
from lamina.ops.special import fresnel_sin as fresnel_sin
from lamina.ops.special import spence as spence
