"Configuration of Sphinx; tools/docs.py copies it beside the pages"

import fer_fastai

project = html_title = "fer_fastai"
author = "fer_fastai contributors"
copyright = "fer_fastai contributors, Apache-2.0"
release = version = fer_fastai.__version__
extensions = ["myst_nb"]
exclude_patterns = ["_build"]
suppress_warnings = ["mystnb.unknown_mime_type"]

nb_execution_mode = "off"  # notebooks are committed with their outputs; the tests run them
nb_merge_streams = True
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_block", "colon_fence", "dollarmath"]

html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_css_files = ["own.css"]
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {"index": [], "start": [], "**": ["sidebar-nav-bs"]}
html_theme_options = {
    "show_toc_level": 2,
    "show_nav_level": 1,
    "navigation_with_keys": True,
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "footer_start": ["copyright"],
    "footer_end": [],
}
