import html
import json
import re
import shutil
import subprocess

import numpy as np
import pytest

import lamina as tf
from tests.keras.viz.models import ResNet

layers = tf.keras.layers
BROWSER = next(
    (p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None
)
in_browser = pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Return the text of a page about a small ResNet, times not measured."""
    path = tmp_path_factory.mktemp("report") / "model.html"
    assert tf.viz.report(ResNet(), path, (None, 16, 16, 3), measure=False) == path
    return path.read_text(encoding="utf-8")


def data_of(text):
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    return json.loads(found[1])


def browse(text, script, tmp_path, size="1400,900"):
    """Open a page, run `script` in it, and return what it puts into `found`."""
    probe = (
        "<pre id=probe></pre><script>const found = {};"
        "const press = (key, at = document.activeElement) => at.dispatchEvent("
        "new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));"
        f"try {{ {script} }} catch (e) {{ found.error = String(e.stack || e); }}"
        "document.getElementById('probe').textContent = JSON.stringify(found);</script></body>"
    )
    path = tmp_path / "probe.html"
    path.write_text(text.replace("</body>", probe), encoding="utf-8")
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={size}"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=2000"]
    done = subprocess.run(
        [*command, "--dump-dom", path.as_uri()], capture_output=True, timeout=120, check=False
    )
    text = done.stdout.decode()
    found = json.loads(html.unescape(re.search(r"<pre id=.probe.>(.*?)</pre>", text, re.DOTALL)[1]))
    assert "error" not in found, found["error"]
    return found


# ---- the file


def test_one_file_without_network(page):
    assert "default-src 'none'" in page
    links = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(\w+:[^"')\s]*)""", page)
    assert links == []
    assert set(re.findall(r"https?://[^\s\"'<]+", page)) <= {"http://www.w3.org/2000/svg"}
    assert "{{" not in re.sub(r"<script.*", "", page, flags=re.DOTALL)


def test_data_says_every_call(page):
    data = data_of(page)
    assert [n["path"] or n["name"] for n in data["nodes"]][:3] == ["x", "stem", "relu"]
    assert data["model"]["parameters"] == ResNet().graph((None, 16, 16, 3)).parameters
    assert data["nodes"][1]["outputs"] == ["(1, 16, 16, 4) float32"]
    assert data["nodes"][1]["seconds"] is None
    assert data["uncalled"] == ["spare"]


def test_names_cannot_break_out_of_the_page(tmp_path):
    class Evil(layers.Layer):
        def call(self, x):
            return x * 2.0

    name = "<script>alert(1)<!--"
    model = tf.keras.Sequential([tf.keras.Input((2,)), Evil(name=name)], name="<b>{{data}}")
    text = tf.viz.report(model, tmp_path / "m.html", measure=False).read_text(encoding="utf-8")
    assert name not in text
    assert "<b>{{" not in text
    assert data_of(text)["nodes"][1]["name"] == name


def test_each_call_is_measured_alone(tmp_path):
    model = tf.keras.Sequential([tf.keras.Input((4,)), layers.Dense(3), layers.Dense(3)])
    model.layers[0].kernel.assign(np.ones((4, 3), np.float32))
    path = tf.viz.report(model, tmp_path / "m.html", batch_size=2)
    data = data_of(path.read_text(encoding="utf-8"))
    assert data["model"]["seconds"] > 0
    dense = [n for n in data["nodes"] if n["kind"] == "Dense"]
    assert all(0 < n["seconds"] < 1 for n in dense)
    assert dense[0]["outputs"] == ["(2, 3) float32"]
    assert dense[0]["memory"] is None or dense[0]["memory"] >= 24
    np.testing.assert_array_equal(model.layers[0].kernel.numpy(), np.ones((4, 3)))


def test_sizes_that_are_unknown_and_needed(tmp_path):
    model = tf.keras.Sequential([layers.Conv2D(2, 3)])
    with pytest.raises(ValueError, match="it cannot be measured for unknown sizes") as caught:
        tf.viz.report(model, tmp_path / "m.html", (None, None, None, 3))
    assert "Fix: give example inputs, or a shape without None" in str(caught.value)


# ---- in a browser


@in_browser
def test_rows_tree_roles_and_totals(page, tmp_path):
    found = browse(
        page,
        """found.rows = visible.map(n => n.label.textContent);
        found.tree = $('rows').getAttribute('role');
        found.levels = nodes.map(n => n.row.getAttribute('aria-level'));
        found.expanded = nodes.map(n => n.row.getAttribute('aria-expanded'));
        found.tiles = [...document.querySelectorAll('.tile b')].map(t => t.textContent);
        found.curves = document.querySelectorAll('#flow path').length;
        found.uncalled = $('uncalled').textContent;
        found.stops = nodes.filter(n => n.row.tabIndex === 0).length;""",
        tmp_path,
    )
    assert found["rows"][:4] == ["x", "stem", "relu", "blocks[0]"]
    assert found["tree"] == "treegrid"
    assert set(found["levels"]) == {"1", "2"}
    assert found["expanded"].count("true") == 2
    assert found["tiles"][0] == "19"
    assert found["curves"] > 20
    assert found["uncalled"] == "Held, but not called: spare"
    assert found["stops"] == 1  # one stop for Tab in the whole tree


@in_browser
def test_keys(page, tmp_path):
    found = browse(
        page,
        """const now = () => current && titleOf(current);
        press('c'); found.folded = visible.length;
        press('ArrowDown', document.body); found.first = now();
        press('ArrowDown'); press('ArrowDown'); press('ArrowDown'); found.block = now();
        press('ArrowRight'); found.opened = current.open;
        press('ArrowRight'); found.child = now();
        press('ArrowLeft'); found.parent = now();
        press('ArrowLeft'); found.closed = !current.open;
        press('End'); found.last = now(); press('Home'); found.home = now();
        press('e'); found.all = visible.length === nodes.length;
        found.focus = document.activeElement === current.row;
        const before = document.documentElement.dataset.theme; press('t');
        found.theme = document.documentElement.dataset.theme !== before;
        found.colour = getComputedStyle(document.body).backgroundColor;
        press('t'); found.other = getComputedStyle(document.body).backgroundColor;
        press('d'); found.drawing = !$('drawing').hidden && !!$('drawing').querySelector('svg');
        press('d'); press('?'); found.help = $('help').open;""",
        tmp_path,
    )
    assert found["folded"] == 9
    assert found["first"] == "x"
    assert found["block"] == found["parent"] == "blocks[0]"
    assert found["child"] == "blocks[0].conv1"
    assert (found["last"], found["home"]) == ("output", "x")
    for name in ("opened", "closed", "all", "focus", "theme", "drawing", "help"):
        assert found[name] is True, name
    assert found["colour"] != found["other"]


@in_browser
def test_search(page, tmp_path):
    found = browse(
        page,
        """press('c'); press('/', document.body);
        found.focus = document.activeElement === $('search');
        $('search').value = 'CONV2D'; $('search').dispatchEvent(new Event('input'));
        found.hits = $('hits').textContent;
        found.shown = visible.filter(n => n.hit).map(titleOf);
        found.marks = document.querySelectorAll('#rows mark').length;
        press('Enter'); found.at = titleOf(current);
        press('/'); press('Escape'); found.cleared = $('search').value === '';
        found.back = visible.length;""",
        tmp_path,
    )
    assert found["focus"]
    assert found["shown"] == [
        "stem",
        "blocks[0].conv1",
        "blocks[0].conv2",
        "blocks[1].conv1",
        "blocks[1].conv2",
        "blocks[1].project",
    ]
    assert found["hits"].startswith("6 of ")
    assert found["marks"] >= 6
    assert found["at"] == "stem"
    assert found["cleared"]
    assert found["back"] > 6


@in_browser
def test_details_lead_along_the_data(page, tmp_path):
    found = browse(
        page,
        """const add = nodes.find(n => n.name === 'add'); go(add);
        const text = () => $('details').textContent;
        found.from = [...document.querySelectorAll('#details .from span')].map(s => s.textContent);
        found.lit = document.querySelectorAll('#flow path.in').length;
        document.querySelectorAll('#details .from')[1].click(); found.at = titleOf(current);
        found.code = document.querySelector('#details .code').textContent;""",
        tmp_path,
    )
    assert found["from"] == ["relu", "blocks[0].bn2"]
    assert found["lit"] == 2
    assert found["at"] == "blocks[0].bn2"
    assert found["code"] == 'model.intermediate(x, "blocks[0].bn2")'


@in_browser
@pytest.mark.parametrize("size", ["400,800", "900,700", "1400,900"])
def test_fits_every_width(page, tmp_path, size):
    found = browse(
        page,
        """openAll(true); select(nodes[5], true);
        found.wide = document.documentElement.scrollWidth - innerWidth;
        found.names = nodes.filter(n => n.label.getBoundingClientRect().width < 8).length;""",
        tmp_path,
        size,
    )
    assert found["wide"] <= 0
    assert found["names"] == 0
