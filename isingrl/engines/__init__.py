"""Engines that sweep the spins of many chains and measure them, and their kernels."""
