"""The parity certificate: what serves a version, asked about held-out and hostile rows, beside scikit-learn."""
