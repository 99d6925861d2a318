"""What all optimizers share: arguments, state, clipping, averages, accumulation, settings."""

import warnings

import numpy as np
import pytest

import lamina as tf
from tests.tolerances import assert_close

optimizers = tf.keras.optimizers
SGD = optimizers.SGD
ONES = tf.constant([1.0, 1.0])


def _var(*values, name=None):
    return tf.keras.Variable(np.array(values, np.float32), name=name)


def _steps(optimizer, variable, grads):
    values = []
    for g in grads:
        optimizer.apply_gradients([(tf.constant(np.array(g, np.float32)), variable)])
        values.append(variable.numpy())
    return values


@pytest.mark.parametrize(
    ("arguments", "grads", "expected"),
    [
        ({"clipnorm": 1.0}, [[3.0, 4.0]], [-0.6, -0.8]),
        ({"clipnorm": 10.0}, [[3.0, 4.0]], [-3.0, -4.0]),
        ({"clipnorm": 1.0}, [[0.0, 0.0]], [0.0, 0.0]),
        ({"clipvalue": 0.5}, [[3.0, -0.25]], [-0.5, 0.25]),
        ({"global_clipnorm": 1.0}, [[3.0, 4.0]], [-0.6, -0.8]),
        ({"loss_scale_factor": 4.0}, [[4.0, 8.0]], [-1.0, -2.0]),
        ({"gradient_accumulation_steps": 2}, [[1.0, 0.0], [3.0, 2.0]], [-2.0, -1.0]),
        ({"gradient_accumulation_steps": 2}, [[1.0, 0.0]], [0.0, 0.0]),
        (
            {"gradient_accumulation_steps": 2, "clipnorm": 1.0},
            [[2.0, 4.0], [4.0, 4.0]],
            [-0.6, -0.8],
        ),
    ],
)
def test_gradients_are_prepared(arguments, grads, expected):
    variable = _var(0.0, 0.0)
    assert_close(_steps(SGD(1.0, **arguments), variable, grads)[-1], expected)


def test_global_norm_is_joint():
    v, w = _var(0.0), _var(0.0)
    SGD(1.0, global_clipnorm=1.0).apply([tf.constant([3.0]), tf.constant([4.0])], [v, w])
    assert_close(np.concatenate([v.numpy(), w.numpy()]), [-0.6, -0.8])


def test_accumulation_updates_state_only_in_the_last_step():
    variable = _var(1.0)
    optimizer = optimizers.Adam(0.1, gradient_accumulation_steps=3)
    values = _steps(optimizer, variable, [[1.0], [2.0], [6.0]])
    reference = _var(1.0)
    assert_close(values[1], [1.0])
    assert_close(values[2], _steps(optimizers.Adam(0.1), reference, [[3.0]])[-1])
    assert int(optimizer.iterations) == 1
    assert_close(optimizer._accumulated_gradients[0], [0.0])


def test_average_follows_and_replaces_the_variable():
    variable = _var(0.0)
    optimizer = SGD(1.0, use_ema=True, ema_momentum=0.5)
    _steps(optimizer, variable, [[-2.0], [-2.0]])  # values 2, 4; averages 2, 3
    assert_close(variable, [4.0])
    optimizer.finalize_variable_values([variable])
    assert_close(variable, [3.0])
    every = _var(0.0)
    values = _steps(
        SGD(1.0, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2), every, [[-2.0]] * 2
    )
    assert_close(values, [[2.0], [3.0]])


def test_weight_decay_spares_excluded_variables():
    kernel, bias = _var(1.0, name="kernel"), _var(1.0, name="bias")
    optimizer = SGD(0.5, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.apply([tf.constant([0.0])] * 2, [kernel, bias])
    assert_close([kernel.numpy()[0], bias.numpy()[0]], [0.95, 1.0])
    optimizer.exclude_from_weight_decay(var_list=[kernel])
    optimizer.apply([tf.constant([0.0])] * 2, [kernel, bias])
    assert_close([kernel.numpy()[0], bias.numpy()[0]], [0.95, 0.95])


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), tf.constant(0.5), tf.Variable(0.5)])
def test_learning_rate_can_be_set(value):
    optimizer, variable = SGD(1.0), _var(0.0)
    optimizer.learning_rate = value
    assert float(optimizer.lr) == 0.5
    assert_close(_steps(optimizer, variable, [[1.0]])[-1], [-0.5])
    optimizer.lr = 2.0
    assert_close(_steps(optimizer, variable, [[1.0]])[-1], [-2.5])
    optimizer.learning_rate.assign(1.0)
    assert_close(_steps(optimizer, variable, [[1.0]])[-1], [-3.5])


def test_settings_reach_steps_that_are_compiled():
    optimizer, variable = SGD(1.0, momentum=0.5, weight_decay=0.0), _var(1.0)
    optimizer.build([variable])

    @tf.function
    def step():
        optimizer.apply_gradients([(tf.constant([0.0]), variable)])
        return tf.identity(variable)

    step()
    for decay, expected in ((0.5, 0.5), (0.25, 0.375), (0.0, 0.375)):
        optimizer.weight_decay = decay
        assert_close(step(), [expected])
    optimizer.learning_rate = 0.5
    optimizer.weight_decay = 1.0
    assert_close(step(), [0.1875])
    optimizer.learning_rate = optimizers.schedules.PiecewiseConstantDecay([100], [1.0, 0.0])
    assert_close(step(), [0.0])


def test_a_setting_that_changes_each_step_compiles_once():
    optimizer, variable = optimizers.Adam(0.1), _var(1.0)
    for beta in (0.9, 0.8, 0.7):
        optimizer.beta_1 = beta
        _steps(optimizer, variable, [[1.0]])
    before = tf.engine.stats.compiles
    for beta in (0.6, 0.5, 0.4):
        optimizer.beta_1 = beta
        _steps(optimizer, variable, [[1.0]])
    assert tf.engine.stats.compiles == before


def test_momentum_that_is_set_later_counts():
    optimizer, variable = SGD(1.0), _var(0.0)
    _steps(optimizer, variable, [[1.0]])
    optimizer.momentum = 0.5
    assert_close(_steps(optimizer, variable, [[1.0], [0.0]]), [[-2.0], [-2.5]])


def test_new_variables_are_taken_at_any_time():
    optimizer = optimizers.Adam(0.1, use_ema=True, gradient_accumulation_steps=2)
    first, second = _var(1.0), _var(1.0)
    for variables in ([first], [first, second], [second]):
        optimizer.apply([tf.constant([1.0])] * len(variables), variables)
    assert len(optimizer.variables) == 2 + 2 * 4
    with pytest.raises(ValueError, match="one gradient for each of the 2 variables"):
        optimizer.apply([tf.constant([1.0])])


def test_missing_gradients_are_named_once():
    optimizer, v, w = SGD(1.0), _var(1.0, name="used"), _var(1.0, name="unused")
    with pytest.warns(UserWarning, match=r"Gradients do not exist for variables \['unused'\]"):
        optimizer.apply_gradients([(tf.constant([1.0]), v), (None, w)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer.apply_gradients([(tf.constant([1.0]), v), (None, w)])
    assert_close(w, [1.0])
    with pytest.raises(ValueError, match=r"No gradients provided for any variable: \['unused'\]"):
        optimizer.apply_gradients([(None, w)])
    with pytest.raises(ValueError, match="No gradients provided"):
        optimizer.apply_gradients([])


def test_minimize_takes_functions_and_tensors():
    optimizer, v = SGD(0.5), tf.Variable(3.0)
    optimizer.minimize(lambda: v * v, [v])
    assert float(v) == 0.0
    v.assign(3.0)
    optimizer.minimize(lambda: v * v)
    assert float(v) == 0.0
    v.assign(3.0)
    with tf.GradientTape() as tape:
        loss = v * v
    assert int(optimizer.minimize(loss, lambda: [v], tape=tape)) == 3
    with pytest.raises(ValueError, match="minimize needs `tape`"):
        optimizer.minimize(tf.constant(1.0), [v])


def test_constraints_are_kept():
    v = tf.Variable([1.0], constraint=lambda x: tf.maximum(x, 0.0))
    SGD(1.0).apply([tf.constant([5.0])], [v])
    assert_close(v, [0.0])


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: SGD(1), "`learning_rate` must be a float"),
        (lambda: SGD("fast"), "`learning_rate` must be a float"),
        (lambda: SGD(momentum=2.0), r"`momentum` must be a float in \[0, 1\]"),
        (lambda: SGD(bogus=1), "got `bogus=1` too"),
        (lambda: SGD(clipnorm=1.0, clipvalue=1.0), "at most one of `clipnorm`"),
        (lambda: SGD(gradient_accumulation_steps=1), "must be 2 or more"),
        (
            lambda: SGD(use_ema=True, ema_momentum=2.0),
            r"`ema_momentum` must be a number in \[0, 1\]",
        ),
        (
            lambda: SGD(use_ema=True, ema_overwrite_frequency=0.5),
            "`ema_overwrite_frequency` must be a positive integer",
        ),
        (lambda: optimizers.AdamW(weight_decay=None), "`weight_decay` must be a float"),
        (lambda: optimizers.Ftrl(initial_accumulator_value=-1.0), "must be 0 or more"),
        (lambda: optimizers.Lion(beta_1=0.0), r"in \(0, 1\]"),
        (lambda: optimizers.get("adamm"), "(?i)adam"),
        (lambda: optimizers.get(3), "must be an optimizer, its name or its config"),
        (lambda: SGD().set_weights([]), "needs an optimizer that is built"),
        (lambda: SGD().apply([ONES]), "`trainable_variables` must be given"),
        (lambda: SGD().apply([ONES, ONES], [_var(1.0)]), "as many gradients as variables"),
        (lambda: optimizers.LossScaleOptimizer(SGD(), clipnorm=1.0), "the inner optimizer"),
    ],
)
def test_wrong_use_is_explained(make, text):
    with pytest.raises(ValueError, match=text):
        make()


def test_number_does_not_replace_a_schedule():
    optimizer = SGD(optimizers.schedules.ExponentialDecay(0.1, 1, 0.5))
    with pytest.raises(TypeError, match="while ExponentialDecay decides it"):
        optimizer.learning_rate = 0.5


@pytest.mark.parametrize("name", ["adam", "SGD", "RMSprop", "rmsprop", "adamw", "LION"])
def test_get_ignores_case(name):
    assert type(optimizers.get(name)).__name__.lower() == name.lower()
    own = SGD(0.25, name="mine")
    again = optimizers.get(optimizers.serialize(own))
    assert (again.name, float(again.learning_rate)) == ("mine", 0.25)
    assert optimizers.get(own) is own
    assert optimizers.get(None) is None


class KerasStyle(optimizers.Optimizer):
    """Momentum, as a user of Keras writes it."""

    def __init__(self, rate=0.5, name="keras_style", **kwargs):
        super().__init__(learning_rate=rate, name=name, **kwargs)
        self.decay = 0.5

    def build(self, variables):
        super().build(variables)
        self.ms = [self.add_variable_from_reference(v, "m") for v in variables]

    def update_step(self, gradient, variable, learning_rate):
        m = self.ms[self._get_variable_index(variable)]
        self.assign(m, self.decay * m + gradient)
        self.assign_sub(variable, learning_rate * m)

    def get_config(self):
        return super().get_config() | {"rate": float(self.learning_rate)}


class LaminaStyle(optimizers.Optimizer):
    """The same by slots and update."""

    slots = ("m",)

    def update(self, grad, value, m, *, step, lr):
        m = 0.5 * m + grad
        return value - lr * m, m


@pytest.mark.parametrize("steps", [None, 2])
def test_own_optimizers_update_alike(steps):
    expected = [[0.5], [-0.25]] if steps is None else [[1.0], [0.5]]
    for make in (KerasStyle, lambda **k: LaminaStyle(0.5, **k)):
        variable = _var(1.0)
        values = _steps(make(gradient_accumulation_steps=steps), variable, [[1.0]] * 2)
        assert_close(values, expected)


def test_own_optimizers_keep_config_and_say_what_they_cannot():
    config = KerasStyle(0.25, clipnorm=1.0).get_config()
    assert (config["rate"], config["clipnorm"], config["name"]) == (0.25, 1.0, "keras_style")
    optimizer = KerasStyle()
    optimizer.apply([tf.constant([1.0])], [_var(1.0)])
    assert [v.name for v in optimizer.variables][-1].endswith("_m")
    with pytest.raises(ValueError, match=r"KerasStyle\.build makes the state"):
        optimizer.apply([tf.constant([1.0])], [_var(1.0)])
    with pytest.raises(NotImplementedError, match="must say how it updates"):
        optimizers.Optimizer(0.1).apply([tf.constant([1.0])], [_var(1.0)])


def test_state_that_does_not_fit_is_reported():
    source, target = optimizers.Adam(), optimizers.Adam()
    source.build([_var(1.0), _var(1.0)])
    store = {}
    source.save_own_variables(store)
    target.build([_var(1.0)])
    with pytest.warns(UserWarning, match="it has 4 variables whereas the saved optimizer has 6"):
        target.load_own_variables(store)


def test_path_of_state_holds_names_of_optimizer_and_variable():
    optimizer = optimizers.Adam(name="opt")
    optimizer.build([_var(1.0, name="kernel"), tf.Variable([1.0], name="w")])
    assert [v.path for v in optimizer.variables] == [
        "opt/iteration",
        "opt/learning_rate",
        "opt/kernel_momentum",
        "opt/kernel_velocity",
        "opt/w_0_momentum",
        "opt/w_0_velocity",
    ]


@pytest.mark.parametrize("name", ["SGD", "Adam", "Adagrad"])
def test_overwriting_variables_take_their_gradients(name):
    scale, kernel = _var(1, 2, name="scale"), _var(3, name="kernel")
    scale.overwrite_with_gradient = True
    optimizer = getattr(optimizers, name)(0.1, clipvalue=0.5, loss_scale_factor=2.0)
    for value in (7.0, 9.0):
        grads = [tf.constant([value, -value]), tf.constant([1.0])]
        optimizer.apply(grads, [scale, kernel])
        assert scale.numpy().tolist() == [value, -value]
    assert kernel.numpy()[0] < 3
    assert optimizer.iterations.numpy() == 2
    assert not any("scale" in v.path for v in optimizer.variables)


def test_overwriting_variables_take_the_largest_gradient_of_a_round():
    scale, kernel = _var(1), _var(3)
    scale.overwrite_with_gradient = True
    optimizer = SGD(1.0, gradient_accumulation_steps=2)
    seen = []
    for value in (5.0, 2.0, 3.0, 4.0):
        optimizer.apply([tf.constant([value]), tf.constant([1.0])], [scale, kernel])
        seen.append(scale.numpy()[0])
    assert seen == [1, 5, 5, 4]
    assert kernel.numpy() == 1


def test_overwriting_variables_alone_count_the_steps():
    scale = _var(1)
    scale.overwrite_with_gradient = True
    optimizer = SGD(1.0, momentum=0.9)
    optimizer.apply([tf.constant([4.0])], [scale])
    assert scale.numpy() == 4
    assert optimizer.iterations.numpy() == 1
