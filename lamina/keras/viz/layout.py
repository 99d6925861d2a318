"""Layered drawing of a directed graph: ranks, order within ranks, positions, routes of edges.

The steps are those of Sugiyama, Tagawa, Toda 1981 (https://doi.org/10.1109/TSMC.1981.4308636):
longest-path ranks, dummies on long edges, barycentres for the order, then positions. Positions
along a rank are the least-squares solution that keeps order and distances (isotonic regression).
"""

import bisect
import itertools
import math
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

__all__ = ["Layout", "Link", "Point", "layered"]

Point = tuple[float, float]
_SWEEPS = 12
_DUMMY = 14.0  # width that a passing edge keeps free
_TRACK = 9.0  # distance of parallel horizontal parts of edges


class Link(NamedTuple):
    """An edge to lay out, with where it leaves and enters, measured from the nodes' centres."""

    source: Hashable
    target: Hashable
    leaves: float = 0.0
    enters: float = 0.0


class Layout(NamedTuple):
    """A drawn graph.

    Attributes:
        width: The width of everything.
        height: The height.
        places: The left and top of each node.
        routes: For each edge the points that it runs through, from the bottom of its source to
            the top of its target. Between two ranks there are four: down, across, down.
    """

    width: float
    height: float
    places: dict[Hashable, Point]
    routes: list[list[Point]]


class _Rows:
    """Nodes and dummies in ranks: a node is its key, a dummy a ("dummy", edge, rank) triple.

    `up` and `down` list for each the links to the neighbouring ranks, as (neighbour, where the
    link meets it, where the link meets this one).
    """

    def __init__(self, sizes: Mapping[Hashable, Point]) -> None:
        self.widths: dict[Hashable, float] = {k: w for k, (w, _) in sizes.items()}
        self.rows: list[list[Hashable]] = []
        self.up: dict[Hashable, list[tuple[Hashable, float, float]]] = {k: [] for k in sizes}
        self.down: dict[Hashable, list[tuple[Hashable, float, float]]] = {k: [] for k in sizes}
        self.dummies: set[Hashable] = set()
        self.chains: list[list[tuple[Hashable, float]]] = []

    def fill(self, ranks: dict[Hashable, int], links: Sequence[Link]) -> None:
        """Put nodes and the dummies of long edges into their rows."""
        self.rows = [[] for _ in range(max(ranks.values(), default=0) + 1)]
        for key, rank in ranks.items():
            self.rows[rank].append(key)
        for i, link in enumerate(links):
            chain: list[tuple[Hashable, float]] = [(link.source, link.leaves)]
            for rank in range(ranks[link.source] + 1, ranks[link.target]):
                dummy = ("dummy", i, rank)
                self.rows[rank].append(dummy)
                self.dummies.add(dummy)
                self.widths[dummy] = _DUMMY
                self.up[dummy], self.down[dummy] = [], []
                chain.append((dummy, 0.0))
            chain.append((link.target, link.enters))
            self.chains.append(chain)
            for (upper, leaves), (lower, enters) in itertools.pairwise(chain):
                self.down[upper].append((lower, enters, leaves))
                self.up[lower].append((upper, leaves, enters))

    def crossings(self) -> int:
        """Return how many pairs of edges cross."""
        total = 0
        for upper, lower in itertools.pairwise(self.rows):
            place = {key: i for i, key in enumerate(lower)}
            ends: list[int] = []
            for key in upper:
                below = sorted(place[b] for b, _, _ in self.down[key])
                for at in below:
                    total += len(ends) - bisect.bisect_right(ends, at)
                for at in below:
                    bisect.insort(ends, at)
        return total

    def order(self) -> None:
        """Order each row by the barycentres of its neighbours; keep the best order found."""
        best, fewest = [list(row) for row in self.rows], self.crossings()
        for sweep in range(_SWEEPS):
            if not fewest:
                break
            downward = sweep % 2 == 0
            rows = self.rows[1:] if downward else self.rows[-2::-1]
            near = self.up if downward else self.down
            for row in rows:
                self._sort(row, near)
            found = self.crossings()
            if found < fewest:
                best, fewest = [list(row) for row in self.rows], found
        self.rows = best

    def _sort(self, row: list[Hashable], near: Mapping[Hashable, list]) -> None:
        at = {key: i for other in self.rows for i, key in enumerate(other)}

        def centre(key: Hashable) -> float:
            places = [at[k] + d / max(self.widths[k], 1) for k, d, _ in near[key]]
            return sum(places) / len(places) if places else at[key]

        row.sort(key=centre)

    def positions(self, gap: float) -> dict[Hashable, float]:
        """Return the centre of every node and dummy along its row."""
        x: dict[Hashable, float] = {}
        for row in self.rows:
            left = 0.0
            for key in row:
                x[key] = left + self.widths[key] / 2
                left += self.widths[key] + gap
            for key in row:
                x[key] -= left / 2
        for sweep in range(_SWEEPS + 1):  # the last one runs down: chains end up straight
            downward = sweep % 2 == 0
            for row in self.rows if downward else self.rows[::-1]:
                self._relax(row, self.up if downward else self.down, x, gap)
        self._straighten(x)
        return x

    def _relax(
        self,
        row: list[Hashable],
        near: Mapping[Hashable, list],
        x: dict[Hashable, float],
        gap: float,
    ) -> None:
        """Move a row's members towards their neighbours, in order and at a distance."""
        offsets, wanted, weights = [0.0], [], []
        for a, b in itertools.pairwise(row):
            offsets.append(offsets[-1] + (self.widths[a] + self.widths[b]) / 2 + gap)
        for key, offset in zip(row, offsets, strict=False):
            pulls = [(self._weight(key, k), x[k] + there - here) for k, there, here in near[key]]
            total = sum(w for w, _ in pulls)
            goal = sum(w * at for w, at in pulls) / total if total else x[key]
            wanted.append(goal - offset)
            weights.append(total or 0.1)
        for key, offset, value in zip(row, offsets, _isotonic(wanted, weights), strict=False):
            x[key] = value + offset

    def _straighten(self, x: dict[Hashable, float]) -> None:
        """Give all dummies of a long edge one place across, where there is one free for all."""
        free: dict[Hashable, Point] = {}
        for row in self.rows:
            for i, key in enumerate(row):
                if key in self.dummies:
                    before, after = (
                        row[i - 1] if i else None,
                        row[i + 1] if i + 1 < len(row) else None,
                    )
                    free[key] = (self._side(before, x, 1), self._side(after, x, -1))
        for chain in self.chains:
            inner = [key for key, _ in chain[1:-1]]
            low = max((free[k][0] for k in inner), default=0.0)
            high = min((free[k][1] for k in inner), default=-1.0)
            if low <= high:
                middle = sum(x[k] for k in inner) / len(inner)
                x.update(dict.fromkeys(inner, min(max(middle, low), high)))

    def _side(self, key: Hashable | None, x: dict[Hashable, float], sign: int) -> float:
        """Return how far a dummy may come to a neighbour; to a dummy only where it is itself."""
        if key is None:
            return -sign * math.inf
        return x[key] + sign * (self.widths[key] / 2 + _DUMMY)

    def _weight(self, a: Hashable, b: Hashable) -> float:
        """Long edges run straight, and chains of nodes straighter than what joins from aside."""
        if a in self.dummies and b in self.dummies:
            return 8.0
        return 1.0 if a in self.dummies or b in self.dummies else 4.0


def _isotonic(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Return the growing sequence nearest to `values` in weighted squares (pool adjacent)."""
    pools: list[list[float]] = []  # mean, weight, count
    for value, weight in zip(values, weights, strict=True):
        pools.append([value, weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, weight_, count = pools.pop()
            before = pools[-1]
            total = before[1] + weight_
            pools[-1] = [
                (before[0] * before[1] + mean * weight_) / total,
                total,
                before[2] + count,
            ]
    return [mean for mean, _, count in pools for _ in range(int(count))]


def layered(
    sizes: Mapping[Hashable, Point],
    links: Sequence[Link],
    first: Sequence[Hashable] = (),
    last: Sequence[Hashable] = (),
    gap: Point = (26.0, 30.0),
) -> Layout:
    """Place nodes in ranks from top to bottom, and route the edges between them.

    Args:
        sizes: The width and height of each node, in an order in which all edges go forward.
        links: The edges.
        first: Nodes that stand alone in the first rank.
        last: Nodes that stand alone in the last rank.
        gap: The least distances of nodes across and of ranks.
    """
    if not sizes:
        return Layout(0.0, 0.0, {}, [])
    ranks = _ranks(sizes, links, first, last)
    rows = _Rows(sizes)
    rows.fill(ranks, links)
    rows.order()
    x = rows.positions(gap[0])
    left = min(x[k] - rows.widths[k] / 2 for k in x)
    x = {k: at - left for k, at in x.items()}
    tops, bottoms, tracks = _heights(rows, sizes, x, gap[1])
    places = {
        k: (x[k] - w / 2, (tops[ranks[k]] + bottoms[ranks[k]] - h) / 2)
        for k, (w, h) in sizes.items()
    }
    routes: list[list[Point]] = []
    for chain in rows.chains:
        (a, leaves), (b, enters) = chain[0], chain[-1]
        before, off = chain[-2]
        aside = x[before] + off - x[b] - enters  # small: it comes in straight, off the centre
        near = min(24.0 if before in rows.dummies else 6.0, rows.widths[b] / 2 - 10)
        if not enters and abs(aside) <= near:
            chain[-1] = (b, enters := aside)
        points = [(x[a] + leaves, places[a][1] + sizes[a][1])]
        for step, (upper, lower) in enumerate(itertools.pairwise(chain), ranks[a]):
            here, there = x[upper[0]] + upper[1], x[lower[0]] + lower[1]
            y = tracks.get((upper, lower), (bottoms[step] + tops[step + 1]) / 2)
            points += [(here, bottoms[step]), (here, y), (there, y), (there, tops[step + 1])]
        routes.append([*points, (x[b] + enters, places[b][1])])
    width = max(x[k] + rows.widths[k] / 2 for k in x)
    return Layout(width, bottoms[-1], places, routes)


def _ranks(
    sizes: Mapping[Hashable, Point],
    links: Sequence[Link],
    first: Sequence[Hashable],
    last: Sequence[Hashable],
) -> dict[Hashable, int]:
    """Return each node's rank: the longest path to it; sources come close to what uses them."""
    base = 1 if first else 0
    into: dict[Hashable, list[Hashable]] = {k: [] for k in sizes}
    out: dict[Hashable, list[Hashable]] = {k: [] for k in sizes}
    for a, b, _, _ in links:
        into[b].append(a)
        out[a].append(b)
    ranks: dict[Hashable, int] = dict.fromkeys(first, 0)
    for key in sizes:
        if key not in ranks:
            ranks[key] = max([base, *(ranks[a] + 1 for a in into[key] if a in ranks)])
    for key in reversed(list(sizes)):
        if not into[key] and out[key] and key not in first:
            ranks[key] = max(base, min(ranks[b] for b in out[key]) - 1)
    end = max([r for k, r in ranks.items() if k not in last], default=0) + 1
    return ranks | dict.fromkeys(last, end)


def _has_height(row: list[Hashable], sizes: Mapping[Hashable, Point]) -> bool:
    """Return whether a rank holds more than ports."""
    return any(k in sizes and sizes[k][1] for k in row)


_End = tuple[Hashable, float]
_Span = tuple[float, float, _End, _End]


def _heights(
    rows: _Rows, sizes: Mapping[Hashable, Point], x: dict[Hashable, float], gap: float
) -> tuple[list[float], list[float], dict[tuple[_End, _End], float]]:
    """Return the tops and bottoms of the ranks, and where each edge runs across below one."""
    tops: list[float] = []
    bottoms: list[float] = []
    across: dict[tuple[_End, _End], float] = {}
    y = 0.0
    for rank, row in enumerate(rows.rows):
        height = max((sizes[k][1] for k in row if k in sizes), default=0.0)
        tops.append(y)
        bottoms.append(y + height)
        tracks, count = _tracks(rows, row, x)
        below = rows.rows[rank + 1] if rank + 1 < len(rows.rows) else row
        least = gap if _has_height(row, sizes) and _has_height(below, sizes) else gap * 0.4
        free = max(least, (count + 1) * _TRACK + 12 if count else 0)
        for pair, track in tracks.items():
            across[pair] = y + height + free / 2 + (track - (count - 1) / 2) * _TRACK
        y += height + free
    return tops, bottoms, across


def _tracks(
    rows: _Rows, row: list[Hashable], x: dict[Hashable, float]
) -> tuple[dict[tuple[_End, _End], int], int]:
    """Give the sideways parts of the edges below a row tracks on which they do not overlap."""
    spans: list[_Span] = []
    for key in row:
        for below, enters, leaves in rows.down[key]:
            lo, hi = sorted((x[key] + leaves, x[below] + enters))
            if hi - lo > 0.5:
                spans.append((lo, hi, (key, leaves), (below, enters)))
    spans.sort(key=lambda s: (s[0] - s[1], s[0]))  # the longest first
    used: list[list[_Span]] = []
    found: dict[tuple[_End, _End], int] = {}
    for span in spans:
        track = next((i for i, taken in enumerate(used) if _fits(span, taken)), len(used))
        if track == len(used):
            used.append([])
        used[track].append(span)
        found[span[2], span[3]] = track
    return found, len(used)


def _fits(span: _Span, taken: list[_Span]) -> bool:
    """Return whether a part of an edge touches none on a track, but of edges with a common end."""
    lo, hi, a, b = span
    return all(hi < left - 4 or lo > right + 4 or a == c or b == d for left, right, c, d in taken)
