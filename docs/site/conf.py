"""How Sphinx makes the site of what gather.py has gathered: see scripts/site.sh."""

import tomllib
from pathlib import Path

import ziamath
from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]

project = "Koala"
author = copyright = "The Koala developers"
version = release = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["shown"]
nitpicky = False  # Types of PyTorch are named, and its pages cannot be asked here.

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
# Files that the site shows as they are: reports, tables, schemas.
myst_url_schemes = {"http": None, "https": None, "mailto": None, "site": {"url": "{{path}}"}}

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # The signatures of the code, long as they are, stand in the docstrings' words.

html_theme = "furo"
html_title = "Koala"
# With it a font for equations, which not every system has: STIX Two Math (SIL Open Font License), as a package brings it.
html_static_path = [
    str(Path(__file__).parent / "static"),
    str(next(Path(ziamath.__file__).parent.rglob("STIXTwoMath-Regular.ttf"))),
]
html_css_files = ["site.css"]
html_extra_path = [str(ROOT / "target" / "site-source" / "shown")]
html_show_sphinx = False
html_math_renderer = "mathml"
# Words that the search finds, and pages without a line of script from elsewhere.
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#2f6b4f", "color-brand-content": "#2f6b4f"},
    "dark_css_variables": {"color-brand-primary": "#8fc7a8", "color-brand-content": "#8fc7a8"},
}


def visit_inline(translator, node: nodes.math) -> None:
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def visit_block(translator, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="equation">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Equations as MathML, which browsers draw by themselves: no script and no network."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
