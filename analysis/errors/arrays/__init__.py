"""Errors of plain arrays with chains and draws as their last two axes.

The modules beside this package add named dims and coordinates.
"""
