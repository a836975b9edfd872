"""The peers beside us, in one run: ratios, and whether the answers are equal."""
