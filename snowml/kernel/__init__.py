"""The forest kernel: tree ensembles as flat arrays, and the code that adds their leaves up.

Whatever library trained the trees, the kernel answers what that library answers: to the bit where it sums in double, in
its order, with its comparisons. It imports NumPy and numba only, numba only where there is one, so that this folder
alone can be zipped and imported where nothing else is installed.

- `forest.Forest` is the model, checked; `blob` is its bytes.
- `scorer.Scorer` scores: by `masks` (trees of up to 64 leaves) or `walk` (larger ones), whose inner loops numba
  compiles (`loops`), or by `plain`, the same in NumPy.
- `links` turns raw scores into answers.
"""
