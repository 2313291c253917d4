"""melanoma-edge: compile small melanoma classifiers for phones and browsers, with proof that they decide alike.

An aid for engineers and researchers, never a diagnosis.
"""

__version__ = "0.1.0"
