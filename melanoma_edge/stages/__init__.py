"""One file per step of the flow: what it reads, which options change it, and which files it leaves."""
