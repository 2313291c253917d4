"""The networks' runtimes, one file each; `formats` picks the one that a model file is for."""
