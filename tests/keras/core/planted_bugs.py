"""Thirty mistakes that people make in models, each with the whole text they are told.

Each function makes one mistake; the line that is at fault ends with `# <-`. Its docstring is the
message: the exception, then what the layers add. `{file}` and `{line}` stand for the place.
"""

import numpy as np

import lamina as tf

layers = tf.keras.layers
X = np.ones((4, 3), "float32")
Y = np.zeros((4, 1), "float32")
BUGS = []


def bug(function):
    BUGS.append(function)
    return function


class Net(tf.keras.Model):
    """An encoder, two blocks, and a head; the second block is the one at fault."""

    def __init__(self, block, name="net"):
        super().__init__(name=name)
        self.blocks = [layers.Dense(3, name="first"), block]
        self.head = layers.Dense(1, name="head")

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def fit(model, x=X, y=Y):
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)


class Base(layers.Layer):
    def __init__(self):
        super().__init__(name="user")


@bug
def matmul_of_other_sizes():
    class User(Base):
        def call(self, x):
            return tf.matmul(x, tf.ones((5, 2)))  # <-

    Net(User())(X)


@bug
def matmul_of_other_sizes_in_fit():
    class User(Base):
        def call(self, x):
            return tf.matmul(x, tf.ones((5, 2)))  # <-

    fit(Net(User()))


@bug
def matmul_of_other_sizes_in_function():
    class User(Base):
        def call(self, x):
            return tf.matmul(x, tf.ones((5, 2)))  # <-

    tf.function(Net(User()))(tf.constant(X))


@bug
def image_layer_on_vectors():
    class Images(tf.keras.Model):
        def __init__(self):
            super().__init__(name="images")
            self.conv = layers.Conv2D(3, 3, name="conv")

        def call(self, x):
            return self.conv(x)  # <-

    Images()(X)


@bug
def other_features_than_before():
    class Twice(tf.keras.Model):
        def __init__(self):
            super().__init__(name="twice")
            self.dense = layers.Dense(3, name="dense")

        def call(self, x):
            return self.dense(tf.concat([self.dense(x), x], axis=-1))  # <-

    Twice()(X)


@bug
def no_super_init_in_a_layer():
    class User(layers.Layer):
        def __init__(self):
            self.inner = layers.Dense(3)  # <-

    Net(User())(X)


@bug
def no_super_init_in_a_model():
    class User(tf.keras.Model):
        def __init__(self):
            self.inner = layers.Dense(3)  # <-

    User()(X)


@bug
def layer_returns_nothing():
    class User(Base):
        def call(self, x):
            x * 2.0

    class Small(Net):
        def call(self, x):
            return self.head(self.blocks[1](x))  # <-

    Small(User())(X)


@bug
def model_returns_nothing():
    class Silent(Net):
        def call(self, x):
            self.head(x)

    fit(Silent(layers.ReLU()))


@bug
def two_dtypes():
    class User(Base):
        def call(self, x):
            return x + tf.cast(x, tf.float64)  # <-

    Net(User())(X)


@bug
def tensor_kept_on_self_in_fit():
    class User(Base):
        def call(self, x):
            self.kept = x * 2.0  # <-
            return x

    fit(Net(User()))


@bug
def tensor_kept_on_self_in_function():
    class User(Base):
        def call(self, x):
            self.kept = x * 2.0  # <-
            return x

    tf.function(Net(User()))(tf.constant(X))


@bug
def tensor_kept_in_a_list():
    class User(Base):
        def __init__(self):
            super().__init__()
            self.seen = []

        def call(self, x):
            self.seen.append(x)
            return x

    model = Net(User())
    fit(model)
    model.blocks[1].seen[-1].numpy()


@bug
def variable_made_in_each_call():
    class User(Base):
        def call(self, x):
            return x * tf.Variable(1.0, trainable=False, name="v")  # <-

    tf.function(Net(User()))(tf.constant(X))


@bug
def weight_made_in_each_call():
    class User(Base):
        def call(self, x):
            return x * self.add_weight("v", shape=(), trainable=False)  # <-

    tf.function(Net(User()))(tf.constant(X))


@bug
def weight_that_build_forgot():
    class User(Base):
        def build(self, input_shape):
            self.kernel = self.add_weight(shape=(3, 3))

        def call(self, x):
            return x @ self.kernel + self.offset  # <-

    Net(User())(X)


@bug
def attribute_misspelt():
    class User(Base):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, x):
            return self.dens(x)  # <-

    Net(User())(X)


@bug
def unhashable_argument():
    class User(Base):
        def call(self, x):
            return tf.reduce_sum(x, axis={0})  # <-

    Net(User())(X)


@bug
def other_key_of_the_inputs():
    class Reads(tf.keras.Model):
        def call(self, inputs):
            return inputs["image"]  # <-

    Reads(name="reads")({"images": X})


@bug
def other_key_of_the_inputs_in_fit():
    class Reads(tf.keras.Model):
        def __init__(self):
            super().__init__(name="reads")
            self.dense = layers.Dense(1)

        def call(self, inputs):
            return self.dense(inputs["image"])  # <-

    fit(Reads(), {"images": X})


@bug
def condition_on_many_values():
    class User(Base):
        def call(self, x):
            if x > 0:  # <-
                return x
            return -x

    Net(User())(X)


@bug
def second_input_left_out():
    class User(Base):
        def call(self, x, other):
            return x + other

    class Small(Net):
        def call(self, x):
            return self.head(self.blocks[1](x))  # <-

    Small(User())(X)


@bug
def argument_that_call_does_not_take():
    class Small(Net):
        def call(self, x):
            return self.head(x)

    Small(layers.ReLU())(X, flag=True)  # <-


@bug
def size_unknown_while_built():
    class User(Base):
        def call(self, x):
            return tf.reshape(x, [x.shape[0] * 3])  # <-

    User()(tf.keras.Input((3,)))


@bug
def fit_before_compile():
    Net(layers.ReLU()).fit(X, Y)


@bug
def concat_of_other_sizes():
    class User(Base):
        def call(self, x):
            return tf.concat([x, tf.ones((5, 3))], axis=1)  # <-

    Net(User())(X)


@bug
def class_in_place_of_a_layer():
    class Small(Net):
        def call(self, x):
            return self.head(self.blocks[1](x))  # <-

    Small(layers.Dense)(X)


@bug
def item_assigned():
    class User(Base):
        def call(self, x):
            x[0] = 1.0  # <-
            return x

    Net(User())(X)


@bug
def no_call_method():
    class User(Base):
        pass

    class Small(Net):
        def call(self, x):
            return self.head(self.blocks[1](x))  # <-

    Small(User())(X)


@bug
def function_that_returned_none():
    def scaled(x):
        x * 2.0

    class User(Base):
        def call(self, x):
            return scaled(x) + 1.0  # <-

    Net(User())(X)


@bug
def loss_function_at_fault():
    def loss(y_true, y_pred):
        return tf.matmul(y_true, y_pred)  # <-

    model = Net(layers.ReLU())
    model.compile("sgd", loss)
    model.fit(X, Y, verbose=0)


@bug
def targets_left_out():
    model = Net(layers.ReLU())
    model.compile("sgd", "mse")
    model.fit(X, verbose=0)


@bug
def activation_misspelt():
    layers.Dense(3, activation="rellu")


@bug
def weights_of_another_model():
    first, second = Net(layers.Dense(3, name="second")), Net(layers.Dense(5, name="second"))
    first(X)
    second(X)
    second.set_weights(first.get_weights())


@bug
def nested_model_at_fault():
    class User(Base):
        def call(self, x):
            return tf.transpose(x, [0, 2, 1])  # <-

    class Outer(tf.keras.Model):
        def __init__(self):
            super().__init__(name="outer")
            self.parts = {"encoder": Net(User())}

        def call(self, x):
            return self.parts["encoder"](x)

    Outer()(X)
