"""Warehouses behind one small protocol."""
