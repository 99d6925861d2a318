"""Iterators: states that resume exactly, Optionals, specs."""

import json
import subprocess
import sys

import numpy as np
import pytest

import lamina as tf

Dataset = tf.data.Dataset


def values(elements):
    return [np.asarray(e).tolist() for e in elements]


def words():
    yield from ("a", "b", "c", "d")


PIPELINES = {
    "batches": lambda: Dataset.range(20).shuffle(20).batch(3),
    "buffer": lambda: Dataset.range(50).shuffle(7).batch(4).prefetch(2),
    "repeats": lambda: Dataset.range(5).shuffle(5).repeat(4).batch(3),
    "fixed order": lambda: Dataset.range(5).shuffle(5, reshuffle_each_iteration=False).repeat(3),
    "generator": lambda: (
        Dataset.from_generator(words, output_signature=tf.TensorSpec([], tf.string))
        .shuffle(3)
        .repeat(3)
    ),
    "map": lambda: Dataset.range(20).map(lambda x: x * 2).shuffle(9).batch(4),
    "filter": lambda: Dataset.range(30).shuffle(30).filter(lambda x: x % 2 == 0),
    "sampled": lambda: Dataset.sample_from_datasets([Dataset.range(9), Dataset.range(50, 59)]),
    "zip": lambda: Dataset.zip((Dataset.range(9).shuffle(9), Dataset.range(9).shuffle(9))).batch(2),
    "nested": lambda: Dataset.range(6).interleave(lambda x: Dataset.range(x).shuffle(9), 2),
    "cache": lambda: Dataset.range(9).shuffle(9).cache().shuffle(3).repeat(3).batch(2),
    "random": lambda: Dataset.random().take(9),
}


def flat(element):
    return values(element) if isinstance(element, tuple) else np.asarray(element).tolist()


@pytest.mark.parametrize("name", PIPELINES)
def test_a_restored_iterator_goes_on_where_it_was(name):
    dataset = PIPELINES[name]()
    iterator = iter(dataset)
    for _ in range(3):
        next(iterator)
    state = json.loads(json.dumps(iterator.state()))
    rest = [flat(e) for e in iterator]
    other = iter(dataset)
    next(other)  # another iterator in between changes nothing
    again = iter(PIPELINES[name]())  # built anew: other seeds, until they are restored
    for target in (other, again):
        target.restore(state)
        assert [flat(e) for e in target] == rest


def test_a_restored_iterator_decides_the_passes_after_it_too():
    dataset = Dataset.range(30).shuffle(30)
    list(dataset)
    iterator = iter(dataset)
    next(iterator)
    state = iterator.state()
    later = values(dataset)
    anew = Dataset.range(30).shuffle(30)
    iter(anew).restore(state)
    assert values(anew) == later


def test_mapped_elements_that_are_passed_over_are_not_made():
    made = []

    def note(x):
        made.append(int(x.numpy()))
        return x

    dataset = Dataset.range(9).map(lambda x: tf.py_function(note, [x], tf.int64))
    iterator = iter(dataset)
    state = iterator.state() | {"count": 6}
    iterator.restore(state)
    assert values(iterator) == [6, 7, 8]
    assert made == [6, 7, 8]


def test_a_state_outlives_the_process(tmp_path):
    program = (
        "import json, sys, lamina as tf\n"
        "it = iter(tf.data.Dataset.range(40).shuffle(40).batch(4))\n"
        "if len(sys.argv) > 1: it.restore(json.loads(sys.argv[1]))\n"
        "else: [next(it) for _ in range(4)]\n"
        "state = it.state()\n"
        "print(json.dumps([state, [b.numpy().tolist() for b in it]]))\n"
    )

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)

    state, rest = run()
    assert run(json.dumps(state)) == [state, rest]


@pytest.mark.parametrize("change", [{"version": 99}, {"passes": [1, 2, 3], "seeds": [1, 2, 3]}])
def test_a_state_of_another_pipeline_is_refused(change):
    iterator = iter(Dataset.range(3).shuffle(3))
    with pytest.raises(ValueError, match="a state of version 1 with 1 random stages was expected"):
        iterator.restore(iterator.state() | change)


def test_two_iterators_do_not_disturb_each_other():
    dataset = Dataset.range(5).shuffle(5, seed=1).repeat(3)
    first = values(dataset)
    dataset = Dataset.range(5).shuffle(5, seed=1).repeat(3)
    iterator = iter(dataset)
    found = []
    other = iter(dataset)
    for element in iterator:
        found.append(int(element))
        next(other, None)
    assert found == first


def test_iterators_give_optionals():
    iterator = iter(Dataset.range(1))
    some, none = iterator.get_next_as_optional(), iterator.get_next_as_optional()
    assert (bool(some.has_value()), bool(none.has_value())) == (True, False)
    assert int(some.get_value()) == 0
    with pytest.raises(tf.errors.InvalidArgumentError, match="does not have a value"):
        none.get_value()
    assert some.element_spec == none.element_spec == tf.TensorSpec([], tf.int64)


def test_iterators_and_specs_have_their_classes():
    iterator = iter(Dataset.range(1))
    assert isinstance(iterator, tf.data.Iterator)
    assert isinstance(Dataset.range(1).as_numpy_iterator(), tf.data.NumpyIterator)
    spec = tf.data.IteratorSpec(tf.TensorSpec([], tf.int64))
    assert spec.is_compatible_with(iterator)
    assert tf.data.DatasetSpec(tf.TensorSpec([], tf.int64)).is_compatible_with(Dataset.range(3))
    assert not tf.data.DatasetSpec(tf.TensorSpec([], tf.string)).is_compatible_with(
        Dataset.range(3)
    )
    assert repr(tf.data.DatasetSpec(tf.TensorSpec([], tf.int64))) == (
        "DatasetSpec(TensorSpec(shape=(), dtype=tf.int64, name=None), TensorShape([]))"
    )


def test_elements_do_not_change_with_the_arrays_they_came_from():
    array = np.zeros(200, np.float32)
    element = Dataset.from_tensors(array).get_single_element()
    batch = next(iter(Dataset.from_tensor_slices(array).batch(100)))
    array[:] = 7
    assert float(element[0]) == float(batch[0]) == 0.0


def test_an_iterator_has_next():
    assert iter(tf.data.Dataset.range(3)).next().numpy() == 0


@pytest.mark.parametrize(
    "take", [next, lambda it: it.get_next(), lambda it: tf.cond(True, it.get_next, it.get_next)]
)
def test_a_function_takes_another_element_each_time(take):
    total = tf.Variable(0, dtype=tf.int64)

    @tf.function
    def step(iterator):
        x = take(iterator)
        total.assign_add(x)
        return x

    one, other = (iter(tf.data.Dataset.range(1, 9)) for _ in range(2))
    assert [int(step(it)) for it in (one, other, one, one, other)] == [1, 1, 2, 3, 2]
    assert total.numpy() == 9


def test_a_function_that_loops_over_an_iterator_takes_what_is_left():
    @tf.function
    def rest(iterator):
        total = tf.constant(0, tf.int64)
        for x in iterator:
            total += x
        return total

    iterator = iter(tf.data.Dataset.range(5))
    next(iterator), next(iterator)
    assert rest(iterator).numpy() == 9
    assert rest(iterator).numpy() == 0


def test_the_first_step_of_a_loop_is_the_program_of_the_others():
    weights, seen = tf.Variable(tf.zeros(311)), tf.Variable(tf.zeros(300))
    dataset = tf.data.Dataset.from_tensor_slices(np.arange(8, dtype=np.float32)).shuffle(8).batch(2)

    def epoch():
        seen.assign(tf.zeros(300))
        for rows in dataset:
            scale = tf.reduce_sum(tf.reshape(rows, (2, 1)) * 2 + 1)
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.tanh(tf.sin(tf.cos(tf.exp(tf.sigmoid(weights * scale))))))
            weights.assign_sub(tape.gradient(loss, weights) * 0.1)
            seen.assign_add(tf.ones(300))

    compiles = tf.stats.compiles
    for _ in range(3):
        epoch()
    assert seen.numpy()[0] == 4
    # What moves the shuffle's seed, what resets `seen`, and the step.
    assert tf.stats.compiles - compiles <= 3


def test_numpy_iterators_give_arrays_that_cannot_be_written_to():
    values = np.arange(4)
    array = next(Dataset.from_tensors(values).as_numpy_iterator())
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1
    assert values.flags.writeable
    sparse = tf.sparse.from_dense([1, 0])
    assert next(Dataset.from_tensors(sparse).as_numpy_iterator()).tolist() == [1, 0]
    with pytest.raises(TypeError, match="must be made of Tensors; got a dataset"):
        next(Dataset.range(4).window(2).as_numpy_iterator())


def test_numpy_iterators_are_saved_and_restored(tmp_path):
    dataset = Dataset.range(20).shuffle(20)
    iterator = dataset.as_numpy_iterator()
    next(iterator)
    state = iterator.save()
    path = tf.train.Checkpoint(it=iterator).save(str(tmp_path / "c"))
    rest = [int(n) for n in iterator]
    iterator.restore(state)
    assert [int(n) for n in iterator] == rest
    other = dataset.as_numpy_iterator()
    tf.train.Checkpoint(it=other).restore(path)
    assert [int(n) for n in other] == rest
