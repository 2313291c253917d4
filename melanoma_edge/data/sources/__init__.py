"""Where samples come from: one module a source.

Each has `load(location: str, progress: Progress = silent) -> Dataset`, whose samples may lack splits, and a docstring
whose first line `data list` shows.
"""
