"""tf.queue: queues of Tensors."""

import threading
import time

import numpy as np
import pytest

import lamina as tf

FIFO = tf.queue.FIFOQueue
INVALID = tf.errors.InvalidArgumentError


def plain(found):
    if isinstance(found, list):
        return [plain(part) for part in found]
    if isinstance(found, dict):
        return {key: plain(part) for key, part in found.items()}
    return np.asarray(found).tolist()


def test_elements_leave_in_the_order_in_which_they_came():
    queue = FIFO(4, tf.float32)
    queue.enqueue(1.0)
    queue.enqueue([2.0])
    queue.enqueue((tf.constant(3.0),))
    assert (int(queue.size()), queue.size().dtype) == (3, tf.int32)
    assert [plain(queue.dequeue()) for _ in range(3)] == [1.0, 2.0, 3.0]


def test_elements_of_several_parts_and_of_names():
    queue = FIFO(4, [tf.int32, tf.string], [(), (2,)], name="q")
    assert (queue.dtypes, queue.shapes, queue.name) == ([tf.int32, tf.string], [(), (2,)], "q")
    queue.enqueue_many([[1, 2, 3], [["a", "b"], ["c", "d"], ["e", "f"]]])
    assert plain(queue.dequeue()) == [1, [b"a", b"b"]]
    assert plain(queue.dequeue_many(2)) == [[2, 3], [[b"c", b"d"], [b"e", b"f"]]]
    named = FIFO(4, [tf.int32, tf.float32], names=["x", "y"])
    named.enqueue({"y": [0.5], "x": 3})
    assert plain(named.dequeue()) == {"x": 3, "y": [0.5]}


def test_a_closed_queue_gives_what_is_left():
    queue = FIFO(9, tf.int32, shapes=())
    queue.enqueue_many([range(5)])
    assert not queue.is_closed()
    queue.close()
    assert queue.is_closed()
    with pytest.raises(tf.errors.OutOfRangeError, match=r"requested 6, current size 5"):
        queue.dequeue_many(6)
    assert plain(queue.dequeue_many(2)) == [0, 1]
    assert plain(queue.dequeue_up_to(9)) == [2, 3, 4]
    assert plain(queue.dequeue_many(0)) == []
    for take in (queue.dequeue, lambda: queue.dequeue_up_to(1)):
        with pytest.raises(tf.errors.OutOfRangeError, match="it is closed"):
            take()
    for call in (queue.close, lambda: queue.enqueue(1), lambda: queue.enqueue_many([[1]])):
        with pytest.raises(tf.errors.CancelledError, match="it is closed; "):
            call()


def test_padded_elements():
    queue = tf.queue.PaddingFIFOQueue(9, [tf.int32, tf.string], [[None, 2], [None]])
    queue.enqueue([[[1, 2]], ["a"]])
    queue.enqueue([[[3, 4], [5, 6]], []])
    numbers, words = queue.dequeue_many(2)
    assert plain(numbers) == [[[1, 2], [0, 0]], [[3, 4], [5, 6]]]
    assert plain(words) == [[b"a"], [b""]]
    assert queue.dequeue_many(0)[0].shape == [0, 0, 2]
    with pytest.raises(ValueError, match="`shapes` must be given"):
        tf.queue.PaddingFIFOQueue(9, tf.int32, None)


def test_shuffled_elements():
    def drawn(seed):
        queue = tf.queue.RandomShuffleQueue(50, 0, tf.int32, (), seed=seed)
        queue.enqueue_many([range(40)])
        return plain(queue.dequeue_many(40))

    first = drawn(1)
    assert sorted(first) == list(range(40))
    assert first != list(range(40))
    queue = tf.queue.RandomShuffleQueue(5, 2, tf.int32, ())
    queue.enqueue_many([[7, 7, 7]])
    assert plain(queue.dequeue()) == 7
    queue.close()
    assert plain(queue.dequeue_many(2)) == [7, 7]
    for least in (5, -1):
        with pytest.raises(tf.errors.InvalidArgumentError, match="below the capacity, 5; got"):
            tf.queue.RandomShuffleQueue(5, least, tf.int32)


def test_priorities():
    queue = tf.queue.PriorityQueue(9, [tf.string], [()])
    assert queue.dtypes == [tf.int64, tf.string]
    queue.enqueue_many([[5, 1, 3, 1], ["e", "a", "c", "b"]])
    assert plain(queue.dequeue()) == [1, b"a"]
    assert plain(queue.dequeue_many(3)) == [[1, 3, 5], [b"b", b"c", b"e"]]


def test_threads_wait_for_each_other():
    queue = FIFO(1, tf.int32)
    found = []
    thread = threading.Thread(target=lambda: found.extend(int(queue.dequeue()) for _ in range(4)))
    thread.start()
    for number in range(4):
        queue.enqueue(number)
    thread.join(10)
    assert found == [0, 1, 2, 3]


def test_a_close_cancels_who_waits_for_room():
    queue = FIFO(1, tf.int32)
    queue.enqueue(1)
    found = []

    def wait():
        try:
            queue.enqueue(2)
        except tf.errors.CancelledError as error:
            found.append(str(error))

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.05)
    queue.close(cancel_pending_enqueues=True)
    thread.join(10)
    assert len(found) == 1
    assert plain(queue.dequeue()) == 1


def test_a_function_uses_a_queue_at_each_call():
    queue = FIFO(9, tf.float32, ())

    @tf.function
    def step(x):
        queue.enqueue(x)
        queue.enqueue(x * 2)
        return queue.dequeue()

    assert [float(step(tf.constant(x))) for x in (3.0, 4.0)] == [3.0, 6.0]
    assert int(queue.size()) == 2


def test_a_queue_of_several():
    queues = [FIFO(2, tf.int32, name="a"), FIFO(2, tf.int32, name="b")]
    assert tf.queue.QueueBase.from_list(tf.constant(1), queues) is queues[1]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"must lie in \[0, 2\); got 2"):
        tf.queue.QueueBase.from_list(2, queues)
    with pytest.raises(TypeError, match="must have the same dtypes and names"):
        tf.queue.QueueBase.from_list(0, [queues[0], FIFO(2, tf.string)])
    with pytest.raises(TypeError, match="must be a list of queues"):
        tf.queue.QueueBase.from_list(0, [])


@pytest.mark.parametrize(
    ("error", "says", "call"),
    [
        (ValueError, "`shapes` must have the length", lambda: FIFO(1, ["int32", "int32"], [()])),
        (ValueError, "`names` must have the length", lambda: FIFO(1, tf.int32, names=["a", "b"])),
        (
            tf.errors.InvalidArgumentError,
            "has 1 parts; got 2",
            lambda: FIFO(1, "int32").enqueue([1, 2]),
        ),
        (ValueError, "a part of shape", lambda: FIFO(1, "int32", [2]).enqueue([[1, 2, 3]])),
        (
            ValueError,
            "same number of rows",
            lambda: FIFO(9, ["int32"] * 2).enqueue_many([[1], [1, 2]]),
        ),
        (ValueError, "only then", lambda: FIFO(1, "int32").enqueue({"a": 1})),
        (ValueError, "must have the names", lambda: FIFO(1, "int32", names="b").enqueue({"a": 1})),
        (tf.errors.InvalidArgumentError, "must be known", lambda: FIFO(1, "int32").dequeue_many(1)),
        (
            tf.errors.InvalidArgumentError,
            "`n` must be at least 0; got -1",
            lambda: FIFO(1, "int32", ()).dequeue_up_to(-1),
        ),
        (TypeError, "float32", lambda: FIFO(1, tf.float32).enqueue("a")),
        (ValueError, "float32", lambda: FIFO(1, tf.float32).enqueue(tf.constant(1))),
    ],
)
def test_what_does_not_fit(error, says, call):
    with pytest.raises(error, match=says):
        call()


def test_no_gradient_passes_through():
    x = tf.constant(np.float32(2))
    queue = FIFO(1, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        queue.enqueue(x * x)
        y = queue.dequeue()
    assert tape.gradient(y, x) is None
