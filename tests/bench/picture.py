"""Two rows of bars side by side as SVG: messages a second on the left, CPU per message on the right."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_LABEL, _SIDE, _GAP, _ROW, _HEAD = 330, 210, 90, 26, 34
_STYLE = (
    "text{font:13px sans-serif;fill:#333}.h{font-weight:bold}.l{fill:#2b6cb0}.r{fill:#c05621}rect.p{fill:#fff}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}rect.p{fill:#161b22}}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One line of the picture: its label, messages a second, and milliseconds of CPU a message."""

    label: str
    left: float
    right: float


def draw(bars: Sequence[Bar]) -> str:
    """Returns the picture, or one without bars when there are none."""
    width, height = _LABEL + 2 * (_SIDE + _GAP), _HEAD + _ROW * len(bars) + 10
    most_left = max((bar.left for bar in bars), default=1.0)
    most_right = max((bar.right for bar in bars), default=1.0)
    right_start = _LABEL + _SIDE + _GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<style>{_STYLE}</style>",
        f'<rect class="p" width="{width}" height="{height}"/>',
        f'<text class="h" x="{_LABEL}" y="20">messages read a second</text>',
        f'<text class="h" x="{right_start}" y="20">CPU a message, ms</text>',
    ]
    for number, bar in enumerate(bars):
        y = _HEAD + number * _ROW
        parts.append(f'<text x="8" y="{y + 15}">{escape(bar.label)}</text>')
        parts.append(_rect("l", _LABEL, y, bar.left / most_left, f"{bar.left:,.0f}"))
        parts.append(_rect("r", right_start, y, bar.right / most_right, f"{bar.right:.2f}"))
    return "\n".join([*parts, "</svg>\n"])


def _rect(kind: str, x: int, y: int, share: float, figure: str) -> str:
    width = round(share * _SIDE, 1)
    text = f'<text x="{x + width + 6}" y="{y + 15}">{figure}</text>'
    return f'<rect class="{kind}" x="{x}" y="{y + 2}" width="{width}" height="{_ROW - 8}"/>{text}'
