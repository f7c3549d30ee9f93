"""Benchmarks: every figure is measured beside a peer or a floor, in one run, on one machine."""
