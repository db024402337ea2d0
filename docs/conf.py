"""Configuration of Sphinx; ``make docs`` builds the site in build/docs."""

import inspect
import sys
from importlib import import_module, metadata
from pathlib import Path

from numpydoc.xref import DEFAULT_LINKS

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "isingrl"
author = "isingrl developers"
copyright = author
release = version = metadata.version("isingrl")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_nb",
    "sphinx_design",
    "sphinxcontrib.bibtex",
    # in _extensions
    "command_line",
    "docstrings",
    "gallery",
    "mathml",
    "tutorial",
]
templates_path = ["_templates"]
exclude_patterns = ["_extensions", "studies/README.md"]  # the gallery is made from the latter
default_role = "autolink"  # docstrings have names and parameters in single backticks
rst_prolog = r".. |m| replace:: \|m\|"  # as physicists write it
highlight_language = "none"  # bare blocks hold output
nitpicky = True
nitpick_ignore_regex = [
    # other sites, because their names need the network
    ("py:.*", r"(abc|collections|gymnasium|numpy|pettingzoo|xarray)\..*"),
    ("py:class", r".*\._.*"),  # private bases
]

# Pages in MyST; code blocks are run by the tests, notebooks by the extension `tutorial`.
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"

# Docstrings in NumPy style describe types better than annotations.
# The value True would miss pages that are newer than the last build.
autosummary_generate = [str(page) for page in (Path(__file__).parent / "reference").glob("*.md")]
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_preserve_defaults = True
numpydoc_show_class_members = False
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"
numpydoc_xref_aliases = {name: name for name in DEFAULT_LINKS} | {  # no links to other sites
    name: f"{package}.{name}"
    for package in ("isingrl.battle", "isingrl")
    for name, value in vars(import_module(package)).items()
    if inspect.isclass(value)
}

bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "unsrt"
bibtex_reference_style = "author_year"

html_theme = "pydata_sphinx_theme"
html_title = "isingrl"
html_math_renderer = "mathml"  # drawn by the browser, without downloads
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navbar_align": "left",
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "tango",
    "pygments_dark_style": "monokai",
}
html_sidebars: dict[str, list[str]] = {"index": []}
