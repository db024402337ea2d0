"""Studies: one question each, from a frozen configuration to a Dataset and a figure."""

from isingrl.support.shadowing import hidden as _hidden

if _message := _hidden("analysis"):
    raise ImportError(_message)
