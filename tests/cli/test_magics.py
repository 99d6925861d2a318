"""Notebook lines that are not Python become calls, line by line."""

import ast

import pytest

from lamina.cli.magics import as_python


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 1\ny = x % 2", "x = 1\ny = x % 2"),
        ("%matplotlib inline\nx = 1", "__notebook__.magic('matplotlib inline')\nx = 1"),
        ("!pip install a\nx", "__notebook__.system('pip install a')\nx"),
        ("if a:\n  !ls -l", "if a:\n  __notebook__.system('ls -l')"),
        ("files = !ls", "files = __notebook__.output('ls')"),
        ("d = %pwd", "d = __notebook__.magic('pwd')"),
        ("%%time\nx = 1", "\nx = 1"),
        ("tf.ones?", "pass  # tf.ones?"),
        ("%%bash\nls\ncd x", "__notebook__.system('ls\\ncd x')"),
        ("%%writefile a.py\nx = 1", "__notebook__.cell('writefile a.py', 'x = 1')"),
        ("!a \\\n  b\nx = 1", "\n__notebook__.system('a b')\nx = 1"),
        ("x != 3", "x != 3"),
        ("ok = a != b", "ok = a != b"),
        ("s = '''\n%a\n!b\n'''", "s = '''\n%a\n!b\n'''"),
        ("x = (3\n% 2)", "x = (3\n% 2)"),
        ("x = 3 \\\n% 2", "x = 3 \\\n% 2"),
        ("x = '('  # it's\n%a", "x = '('  # it's\n__notebook__.magic('a')"),
    ],
)
def test_lines(source, expected):
    found = as_python(source)
    assert found == expected
    ast.parse(found)


def test_line_numbers_stay():
    source = "!pip install \\\n  a\n\nraise ValueError"
    assert ast.parse(as_python(source)).body[-1].lineno == 4
