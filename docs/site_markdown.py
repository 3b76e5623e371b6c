"""What the site's Markdown can do beyond Markdown: show source code, list options, set equations without scripts.

A page shows code as it stands, so that it cannot go stale:

    ```source
    firth.backends.reference.logistic
    ```

and all options with their defaults, ranges and help:

    ```options
    firth.options.TrainingOptions
    ```

Blocks of Python that begin with >>> are highlighted as sessions. Equations, between $ or $$, become MathML when the
site is built: browsers draw it themselves, with no script and nothing fetched. What cannot be found stops the build.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
from dataclasses import fields
from html import escape, unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latex2mathml.converter import convert_to_element
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from markdown import Markdown

SOURCES = Path(__file__).parent.parent / "src"
FENCE = re.compile(r"^```(source|options)\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
SESSION = re.compile(r"^(\s*)```python\n(?=\s*>>> )", re.MULTILINE)
EQUATION = re.compile(r"\\(?:\((.*)\\\)|\[(.*)\\\])", re.DOTALL)


def source_of(name: str) -> tuple[Path, int, str]:
    """The file, first line and text of a function, class or constant, by its dotted name."""
    module, *within = _split(name)
    path = SOURCES.joinpath(*module.split(".")).with_suffix(".py")
    if not path.exists():
        path = path.with_suffix("") / "__init__.py"
    text = path.read_text(encoding="utf-8")
    node: Any = ast.parse(text)
    for part in within:
        node = next((each for each in node.body if part in _names(each)), None)
        if node is None:
            raise LookupError(f"there is no {name} in {path}")
    first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
    lines = text.splitlines()[first - 1 : node.end_lineno]
    indent = len(lines[0]) - len(lines[0].lstrip())
    return path, first, "\n".join(line[indent:] for line in lines)


def _split(name: str) -> list[str]:
    """A dotted name as its module and the names within it."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        place = SOURCES.joinpath(*parts[:length])
        if place.with_suffix(".py").exists() or (place / "__init__.py").exists():
            return [".".join(parts[:length]), *parts[length:]]
    raise LookupError(f"there is no module that holds {name}")


def _names(node: ast.stmt) -> set[str]:
    """What a statement defines."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, ast.Assign):
        return {target.id for target in node.targets if isinstance(target, ast.Name)}
    return {node.target.id} if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) else set()


def shown_source(names: str) -> str:
    """A block of Python for each name, titled with its file, its lines numbered as there."""
    blocks = []
    for name in names.split():
        path, first, text = source_of(name)
        title = path.relative_to(SOURCES.parent).as_posix()
        blocks.append(f'```python title="{title}" linenums="{first}"\n{text}\n```')
    return "\n\n".join(blocks)


def options_table(name: str) -> str:
    """A table of an options class: each option, its default, what it may be, and its help."""
    module, _, kind = name.strip().rpartition(".")
    rows = ["| option | default | may be | what it is |", "|---|---|---|---|"]
    for each in fields(getattr(importlib.import_module(module), kind)):
        rule = each.metadata
        default = "" if each.default is None else f"`{each.default!r}`"
        help = escape(rule["help"], quote=False).replace("|", "&#124;")
        rows.append(f"| `{each.name}` | {default} | {_range(rule, each.default)} | {help} |")
    return "\n".join(rows)


def _range(rule: Any, default: object) -> str:
    if rule["choices"]:
        return ", ".join(f"`{choice}`" for choice in rule["choices"])
    if isinstance(default, bool):
        return "`True`, `False`"
    low, high = rule["at_least"], rule["at_most"]
    if high is not None:
        also = "".join(f", or `{word}`" for word in rule["also"])
        return f"{low} to {high:,}{also}" if high < 2**31 else f"{low} or more"
    return f"{low} or more" if low is not None else "any name"


class _Blocks(Preprocessor):
    """Puts what they name in the place of `source` and `options` blocks, before blocks are read."""

    def run(self, lines: list[str]) -> list[str]:
        text = FENCE.sub(self._replaced, "\n".join(lines))
        return SESSION.sub(r"\1```pycon\n", text).split("\n")

    @staticmethod
    def _replaced(match: re.Match[str]) -> str:
        kind, body = match.groups()
        return shown_source(body) if kind == "source" else options_table(body)


class _Equations(Treeprocessor):
    """Turns what Arithmatex marked as equations into MathML."""

    def run(self, root: Element) -> None:
        for element in root.iter():
            if element.get("class") == "arithmatex" and element.text:
                match = EQUATION.match(element.text)
                assert match, f"no equation: {element.text}"
                inline, block = match.groups()
                element.text = ""
                display = "inline" if block is None else "block"
                formula = unescape(inline if block is None else block).strip()
                convert_to_element(formula, display=display, parent=element)


class SiteMarkdown(Extension):
    """Registers the above with Python-Markdown."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        """Run before blocks are fenced, and after equations are found."""
        md.preprocessors.register(_Blocks(md), "firth-blocks", 40)
        md.treeprocessors.register(_Equations(md), "firth-equations", 5)


def makeExtension(**settings: Any) -> SiteMarkdown:  # noqa: N802
    """What Python-Markdown looks for."""
    return SiteMarkdown(**settings)
