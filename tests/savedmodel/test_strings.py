"""SavedModels whose functions work on strings: pieces of compiled programs, the host between."""

import json

import numpy as np
import pytest

import lamina as tf
from lamina.engine.staged import StagedProgram

pytestmark = pytest.mark.filterwarnings("ignore:tf.function .* works on strings")

TEXTS = ["how do you sort!", "a list of you", "do it"]


def again(obj, folder, **kwargs):
    tf.saved_model.save(obj, str(folder), **kwargs)
    return tf.saved_model.load(str(folder))


def plain(texts):
    return tf.strings.regex_replace(tf.strings.lower(texts), "[!?]", "")


@pytest.mark.parametrize("standardize", ["lower_and_strip_punctuation", plain])
def test_a_model_of_texts_is_exported_for_any_batch(tmp_path, standardize):
    text = tf.keras.layers.TextVectorization(
        max_tokens=50, standardize=standardize, output_sequence_length=5
    )
    text.adapt(TEXTS)
    model = tf.keras.Sequential(
        [text, tf.keras.layers.Embedding(50, 4), tf.keras.layers.GlobalAveragePooling1D()]
    )
    x = tf.constant(["How do you sort a list?", "it"])
    y = model(x).numpy()
    model.export(str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    np.testing.assert_allclose(loaded.serve(x), y, rtol=1e-6)
    np.testing.assert_allclose(loaded.serve(x[:1]), y[:1], rtol=1e-6)
    (served,) = loaded.signatures["serving_default"](x).values()
    np.testing.assert_allclose(served, y, rtol=1e-6)


def test_a_sequential_model_is_exported_for_any_batch_size(tmp_path, capsys):
    model = tf.keras.Sequential([tf.keras.layers.Dense(2, use_bias=False)], name="m")
    model(tf.ones([3, 4]))
    model.export(str(tmp_path))
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == (f"Saved artifact at '{tmp_path}'. The following endpoints are available:")
    assert printed[2] == "* Endpoint 'serve'"
    assert printed[3].startswith(
        "  args_0 (POSITIONAL_ONLY): TensorSpec(shape=(None, 4), dtype=tf.float32, name='"
    )
    assert printed[4:6] == [
        "Output Type:",
        "  TensorSpec(shape=(None, 2), dtype=tf.float32, name=None)",
    ]
    assert printed[7].endswith(": TensorSpec(shape=(), dtype=tf.resource, name=None)")
    model.export(str(tmp_path), verbose=False)
    assert capsys.readouterr().out == ""
    assert tf.saved_model.load(str(tmp_path)).serve(tf.ones([5, 4])).shape == (5, 2)


def test_counts_of_ngrams(tmp_path):
    text = tf.keras.layers.TextVectorization(max_tokens=50, output_mode="multi_hot", ngrams=2)
    text.adapt(TEXTS)
    model = tf.keras.Sequential([text, tf.keras.layers.Dense(2)])
    x = tf.constant(["How do you sort a list?", "it"])
    y = model(x)
    model.export(str(tmp_path))
    np.testing.assert_allclose(tf.saved_model.load(str(tmp_path)).serve(x), y, rtol=1e-6)


class Tables(tf.Module):
    def __init__(self):
        super().__init__()
        init = tf.lookup.KeyValueTensorInitializer
        numbers = tf.constant([3, 4], tf.int64)
        self.there = tf.lookup.StaticHashTable(init(["a", "b"], numbers), -1)
        self.back = tf.lookup.StaticHashTable(init(numbers, ["x", "y"]), "?")
        rows = init(["a", "b"], tf.constant([0, 1], tf.int64))
        self.terms = tf.lookup.StaticVocabularyTable(rows, 2)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, x):
        there = self.there.lookup(x)
        same = tf.strings.join([x, "!"]) == x + "!"
        return there, self.back.lookup(there), self.terms.lookup(x), tf.strings.length(x) + 1, same


def test_tables_and_strings(tmp_path):
    x = tf.constant(["a", "q", "b"])
    given = Tables()
    loaded = again(given, tmp_path)
    for a, b in zip(given(x), loaded(x), strict=True):
        np.testing.assert_array_equal(a, b)
    assert loaded(x)[1].numpy().tolist() == [b"x", b"?", b"y"]
    assert loaded(x)[4].numpy().all()
    # What was loaded is saved again.
    assert again(loaded, tmp_path / "more")(x)[0].numpy().tolist() == [3, -1, 4]


class Classes(tf.Module):
    """The two kinds of inputs of the tutorial on audio."""

    def __init__(self):
        super().__init__()
        self.weights = tf.Variable(np.eye(4, 3, dtype=np.float32))
        self.names = tf.constant(["a", "b", "c"])
        self.__call__.get_concrete_function(x=tf.TensorSpec([], tf.string))
        self.__call__.get_concrete_function(x=tf.TensorSpec([None, 4], tf.float32))

    @tf.function
    def __call__(self, x):
        if x.dtype == tf.string:
            x = tf.reshape(tf.cast(tf.io.decode_raw(x, tf.uint8), tf.float32), [1, 4])
        logits = x @ self.weights
        ids = tf.argmax(logits, axis=-1)
        return {"logits": logits, "names": tf.gather(self.names, ids)}


def test_kinds_of_arguments_with_and_without_strings(tmp_path):
    loaded = again(Classes(), tmp_path)
    found = loaded(tf.constant(bytes([1, 5, 2, 0])))
    assert found["logits"].numpy().tolist() == [[1.0, 5.0, 2.0]]
    assert found["names"].numpy().tolist() == [b"b"]
    assert loaded(tf.eye(4)[:3])["names"].numpy().tolist() == [b"a", b"b", b"c"]


class OneStep(tf.Module):
    """One step of a model that writes text, as the tutorial on generation has it."""

    def __init__(self):
        super().__init__()
        self.ids = tf.keras.layers.StringLookup(vocabulary=list("abc"), mask_token=None)
        self.letters = tf.keras.layers.StringLookup(
            vocabulary=self.ids.get_vocabulary(), invert=True, mask_token=None
        )
        self.embedding = tf.keras.layers.Embedding(4, 4)

    @tf.function
    def step(self, inputs, states=None):
        ids = self.ids(tf.strings.unicode_split(inputs, "UTF-8")).to_tensor()
        if states is None:
            states = tf.zeros([tf.shape(ids)[0], 4])
        states = states / 2 + self.embedding(ids)[:, -1]
        return self.letters(tf.argmax(states, -1)), states


def test_text_is_generated_with_states(tmp_path):
    model = OneStep()

    def written(step):
        last, states, found = tf.constant(["ab", "c"]), None, []
        for _ in range(4):
            last, states = step(last, states=states)
            found.append(last)
        return tf.strings.join(found).numpy().tolist()

    expected = written(model.step)
    assert written(again(model, tmp_path).step) == expected


class Rows(tf.Module):
    def __init__(self):
        super().__init__()
        self.text = tf.keras.layers.TextVectorization(standardize=plain, ragged=True)
        self.text.adapt(TEXTS)

    @tf.function
    def upper(self, x):
        return tf.strings.upper(x)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, x):
        return self.text(self.upper(x)).to_tensor(shape=[None, 4])


def test_ragged_texts_and_a_function_in_a_function(tmp_path):
    rows = Rows()
    x = tf.constant(["do you sort it", "a list", ""])
    expected = rows(x).numpy()
    assert expected.shape == (3, 4)
    np.testing.assert_array_equal(again(rows, tmp_path)(x), expected)


class Asks(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, x):
        return tf.numpy_function(lambda s: np.char.upper(s.astype(str)), [x], tf.string)


def test_a_user_function_on_strings_is_not_saved(tmp_path):
    with pytest.warns(UserWarning, match="these are not saved"):
        loaded = again(Asks(), tmp_path)
    with pytest.raises(ValueError, match=r"Found zero restored functions[^$]*Reason: "):
        loaded(tf.constant(["a"]))


def test_a_file_names_operations_of_lamina_only(tmp_path):
    again(Tables(), tmp_path)
    data = (tmp_path / "programs" / "0.bin").read_bytes()
    mark, head, rest = data.split(b"\n", 2)

    def renamed(name):
        notes = json.loads(head)
        stage = next(s for s in notes["stages"] if "op" in s)
        stage["op"] = name
        return b"\n".join([mark, json.dumps(notes).encode(), rest])

    with pytest.raises(ValueError, match=r"must name operations of lamina; got 'os:system'"):
        StagedProgram(renamed("os:system"))
    with pytest.raises(ValueError, match=r"'lamina.ops.files:nothing', which this lamina does not"):
        StagedProgram(renamed("lamina.ops.files:nothing"))
    with pytest.raises(ValueError, match=r"which this lamina does not have"):
        StagedProgram(renamed("lamina.engine.staged:load_program"))
