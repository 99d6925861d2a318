"""`tf.__version__` is TensorFlow's, `lamina.__version__` the package's own."""

import lamina as tf
from lamina.release import own_version


def test_under_another_name_it_is_tensorflows():
    assert tf.__version__ == tf.version.VERSION == "2.21.0"


def test_under_its_own_name_it_is_the_packages():
    import lamina

    assert lamina.__version__ == own_version()


def test_at_the_top_of_a_module():
    namespace = {}
    exec("import lamina\nown = lamina.__version__", namespace)
    exec("import lamina as tf\nemulated = tf.__version__", other := {})
    assert namespace["own"] == own_version()
    assert other["emulated"] == "2.21.0"


def test_imported_by_name():
    from lamina import __version__ as own

    assert own == own_version()
    exec("from lamina import __version__", namespace := {})
    assert namespace["__version__"] == own_version()


def test_numbers_of_the_graph_format_are_there():
    assert tf.version.GRAPH_DEF_VERSION >= tf.version.GRAPH_DEF_VERSION_MIN_CONSUMER
    assert tf.version.GIT_VERSION.startswith("lamina ")


def test_build_info():
    assert set(tf.sysconfig.get_build_info()) >= {"is_cuda_build", "is_rocm_build"}
