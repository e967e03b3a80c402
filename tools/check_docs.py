"""Check the layout of the documentation site in Chromium: `python tools/check_docs.py [--html build/docs/html]`

At 390 px no page scrolls sideways and no heading is clipped. At 1,300 px no line of code is cut.
`--pictures FOLDER` also writes screenshots of the pages named by `--pages`, in light and dark mode.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "browser"))
from lab import chromium  # noqa: E402

PHONE, LAPTOP = {"width": 390, "height": 844}, {"width": 1300, "height": 900}
WIDTHS = (390, 768, 1300, 1600)  # pixels; widths of the screenshots
TALLEST = 2400  # pixels of a screenshot
LONGEST = 120  # characters of a line that is never cut
PAGES = ("index", "start", "tutorials/clean_labels", "names", "results", "from_fastai", "api")

SIDEWAYS = """() => [document.documentElement, ...document.querySelectorAll(".bd-article-container")]
    .filter(node => node.scrollWidth > node.clientWidth + 1)
    .map(node => `scrolls sideways: ${node.scrollWidth} in ${node.clientWidth} px`)"""
CLIPPED = """() => [...document.querySelectorAll("h1, h2, h3, h4")]
    .filter(node => node.clientWidth && node.scrollWidth > node.clientWidth + 1)
    .map(node => `clipped heading: ${node.textContent}`)"""
CUT = """longest => [...document.querySelectorAll("pre")]
    .filter(node => node.clientWidth && Math.max(...node.textContent.split("\\n").map(line => line.length)) <= longest)
    .filter(node => [node, node.parentElement].some(each => each.scrollWidth > each.clientWidth + 1))
    .map(node => `cut code: ${node.textContent.split("\\n")[0]}`)"""


def problems(page, address):
    "List what is clipped or cut on a page"
    page.set_viewport_size(PHONE)
    page.goto(address, wait_until="domcontentloaded")
    found = [*page.evaluate(SIDEWAYS), *page.evaluate(CLIPPED)]
    page.set_viewport_size(LAPTOP)
    return found + page.evaluate(CUT, LONGEST)


def write_pictures(browser, html, names, folder):
    "Write screenshots of pages at all widths in both modes"
    folder.mkdir(parents=True, exist_ok=True)
    for mode in ("light", "dark"):
        for width in WIDTHS:
            page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=mode)
            for name in names:
                page.goto((html / f"{name}.html").as_uri())
                height = min(TALLEST, page.evaluate("document.documentElement.scrollHeight"))
                clip = {"x": 0, "y": 0, "width": width, "height": height}
                path = folder / f"{name.replace('/', '_')}_{width}_{mode}.png"
                page.screenshot(path=path, full_page=True, clip=clip)
            page.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--html", type=Path, default=ROOT / "build/docs/html", help="site that tools/docs.py built")
    parser.add_argument("--pictures", type=Path, help="folder for screenshots")
    parser.add_argument("--pages", nargs="+", default=PAGES, help="pages on the screenshots")
    options = parser.parse_args()
    html = options.html.resolve()
    pages = sorted(html.rglob("*.html"))
    if not pages:
        sys.exit(f"{html}: no pages; build them with tools/docs.py")
    failures = 0
    with chromium() as browser:
        page = browser.new_page()
        for path in pages:
            for problem in problems(page, path.as_uri()):
                failures += 1
                print(f"{path.relative_to(html)}: {problem}")
        if options.pictures:
            write_pictures(browser, html, options.pages, options.pictures)
    print(f"{len(pages)} pages, {failures} problems")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
