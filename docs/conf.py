"Sphinx reads this; tools/docs.py puts it beside the pages that it makes from the notebooks"

import fer_fastai

project, author = "fer_fastai", "fer_fastai contributors"
release = version = fer_fastai.__version__
extensions = ["myst_nb"]
exclude_patterns = ["_build"]
html_theme = "pydata_sphinx_theme"
html_title = "fer_fastai"
html_show_sourcelink = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["own.css"]
html_theme_options = {"show_toc_level": 2, "navigation_with_keys": True, "navbar_align": "left", "show_nav_level": 1, "secondary_sidebar_items": ["page-toc"], "footer_start": ["copyright"], "footer_end": []}
html_sidebars = {"index": []}
copyright = "fer_fastai contributors, Apache-2.0"
nb_execution_mode = "off"  # the notebooks are committed as they ran, and run again as tests
nb_merge_streams = True
myst_heading_anchors = 4
myst_enable_extensions = ["dollarmath", "colon_fence"]
suppress_warnings = ["mystnb.unknown_mime_type"]
