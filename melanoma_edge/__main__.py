"""`python -m melanoma_edge` is `melanoma-edge`."""

from melanoma_edge.cli import main

main()
