"""A file in a room is its own registration: its name is the name users type."""

import importlib
import pkgutil
from types import ModuleType

from melanoma_edge.errors import InputError


def names(package: str) -> tuple[str, ...]:
    """Sorted names of the plugins in `package`, e.g. `melanoma_edge.models`; files starting with `_` are private.

    Lists files only, so nothing heavy is imported.
    """
    path = importlib.import_module(package).__path__
    return tuple(sorted(m.name for m in pkgutil.iter_modules(path) if not m.name.startswith("_")))


def load(package: str, name: str) -> ModuleType:
    """Import the plugin `name` of `package`.

    Raises InputError, listing the known names, when there is no such file.
    """
    known = names(package)
    if name not in known:
        what = package.rsplit(".", 1)[-1].removesuffix("s")
        raise InputError(f"unknown {what} {name!r}: known are {', '.join(known)}")
    return importlib.import_module(f"{package}.{name}")


def summaries(package: str) -> dict[str, str]:
    """The first line that each plugin of `package` says of itself, by name."""
    return {name: (load(package, name).__doc__ or "").splitlines()[0] for name in names(package)}
