"""Errors of plain arrays, whose last two axes are chains and draws: no Dataset is known here.

The modules beside this package put named dims and coordinates around it.
"""
