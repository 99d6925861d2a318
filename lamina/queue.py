"""tf.queue: queues of Tensors between threads of the program."""

from lamina.ops.queues import FIFOQueue as FIFOQueue
from lamina.ops.queues import PaddingFIFOQueue as PaddingFIFOQueue
from lamina.ops.queues import PriorityQueue as PriorityQueue
from lamina.ops.queues import QueueBase as QueueBase
from lamina.ops.queues import RandomShuffleQueue as RandomShuffleQueue
