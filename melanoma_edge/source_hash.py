"""A hash of the code that makes a stage's files: its module, and every module of this package that it can reach."""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent
PACKAGE = ROOT.name
REGISTRY = f"{PACKAGE}.registry"  # whoever imports it loads the files of a package by name


def source_hash(module: str) -> str:
    """Hex sha256 over the sources of `module` ("melanoma_edge.stages.emit") and all that it imports from this package,
    directly or not. A change in any of them, of a comment too, changes it. Raises ValueError for a module of others.
    """
    if _file(module) is None:
        raise ValueError(f"{module} is no module of {PACKAGE}")
    reached: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += _reads(name)
    told = hashlib.sha256()
    for name in sorted(reached):
        path = _file(name)
        told.update(name.encode() + b"\0" + (path.read_bytes() if path else b"") + b"\0")
    return told.hexdigest()


def _file(module: str) -> Path | None:
    """The source of a module of this package, None for anything else."""
    top, *parts = module.split(".")
    if top != PACKAGE:
        return None
    place = ROOT.joinpath(*parts)
    return next((p for p in (place.with_suffix(".py"), place / "__init__.py") if parts and p.is_file()), None)


@cache
def _reads(module: str) -> tuple[str, ...]:
    """The modules of this package that one imports, wherever in it, and those that it loads by name."""
    path = _file(module)
    assert path is not None
    tree = ast.parse(path.read_bytes())
    named = {name for node in ast.walk(tree) for name in _imports(node)}
    found = {name for name in named if _file(name) is not None}
    if REGISTRY in found:
        texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
        packages = {text for text in texts | {module} if (_file(text) or path).name == "__init__.py"}
        found |= {plugin for package in packages if _file(package) for plugin in _plugins(package)}
    return tuple(sorted(found))


def _imports(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _plugins(package: str) -> Iterator[str]:
    path = _file(package)
    assert path is not None
    return (f"{package}.{file.stem}" for file in sorted(path.parent.glob("*.py")) if file.stem != "__init__")
