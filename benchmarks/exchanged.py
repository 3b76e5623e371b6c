"""Programs written for gensim, loaded with one change: their import statements name firth.gensim in gensim's place."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

THEIRS, OURS = "gensim", "firth.gensim"


class Exchange(ast.NodeTransformer):
    """Turns imports from gensim into imports from firth.gensim, for the modules that it has; `left` are the others."""

    def __init__(self) -> None:
        self.exchanged: list[str] = []
        self.left: list[str] = []

    def visit_Import(self, node: ast.Import) -> ast.Import:
        """`import gensim` becomes `import firth.gensim as gensim`."""
        for alias in node.names:
            if self.stands_in(alias.name):
                before = f"import {alias.name}"
                if alias.asname is None:  # which binds the package, whatever module of it is named
                    alias.name, alias.asname = OURS, THEIRS
                else:
                    alias.name = ours(alias.name)
                self.exchanged.append(f"{before} -> {ast.unparse(node)}")
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        """`from gensim.models import ...` becomes `from firth.gensim.models import ...`."""
        if node.level == 0 and node.module is not None and self.stands_in(node.module):
            before = ast.unparse(node)
            node.module = ours(node.module)
            self.exchanged.append(f"{before} -> {ast.unparse(node)}")
        return node

    def stands_in(self, module: str) -> bool:
        """Whether this is a module of gensim's that firth.gensim has."""
        if module.partition(".")[0] != THEIRS:
            return False
        found = _exists(ours(module))
        if not found:
            self.left.append(module)
        return found


def ours(module: str) -> str:
    """The name that a module of gensim's has here."""
    return OURS + module.removeprefix(THEIRS)


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


class _Loader(SourceFileLoader):
    """Loads a module from its source as installed, its imports exchanged; what is compiled is kept nowhere."""

    exchange: Exchange

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        tree = self.exchange.visit(ast.parse(self.get_data(path), path))
        code: CodeType = compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)
        return code


class _Finder(MetaPathFinder):
    """Finds the modules of some packages as ever, and has them loaded so."""

    def __init__(self, packages: Iterable[str], exchange: Exchange) -> None:
        self.packages, self.exchange = frozenset(packages), exchange

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in self.packages:
            return None
        spec: Any = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
            spec.loader.exchange = self.exchange
        return spec


def exchange_imports(*packages: str) -> Exchange:
    """Have all modules of these packages, from now on, imported with their imports exchanged; gives what was done."""
    exchange = Exchange()
    sys.meta_path.insert(0, _Finder(packages, exchange))
    return exchange
