"""tf.random: draws from the global stream, stateless draws, and generators of one's own."""

from lamina.ops import all_candidate_sampler as all_candidate_sampler
from lamina.ops import fixed_unigram_candidate_sampler as fixed_unigram_candidate_sampler
from lamina.ops import learned_unigram_candidate_sampler as learned_unigram_candidate_sampler
from lamina.ops import log_uniform_candidate_sampler as log_uniform_candidate_sampler
from lamina.ops import uniform_candidate_sampler as uniform_candidate_sampler
from lamina.ops.binomial import *
from lamina.ops.generators import *
from lamina.ops.random import *
from lamina.ops.stateless import *
from lamina.ops.stateless import stateless_fold_in as fold_in
from lamina.ops.stateless import stateless_split as split
from lamina.random import experimental as experimental
