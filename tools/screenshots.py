"""Write the images of the README and the tutorials: `python tools/screenshots.py [--to nbs/images]`

* label_cleaner*.png has synthetic faces with injected label errors in JupyterLab. A logistic regression predicted their
  out-of-fold probabilities.
* report.png is the report of `fer demo`.
* predicted.png is NASA's portrait of Eileen Collins (public domain), upright, mirrored and rotated. The bundled model
  classified it.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "browser"))
from lab import Lab, chromium, jupyterlab, notebook  # noqa: E402

FACES = """
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from fer_fastai.clean.issues import rank_label_issues
from fer_fastai.clean.pred_probs import PredProbs
from fer_fastai.clean.widget import LabelCleaner
from fer_fastai.data.synthetic import synthetic_faces

faces = synthetic_faces(1200, seed=3, label_errors=0.2)
small = faces.pixels.reshape(-1, 16, 3, 16, 3).mean(axis=(2, 4)).reshape(len(faces), -1)
small = (small - small.mean(axis=1, keepdims=True)) / small.std(axis=1, keepdims=True)
model = LogisticRegression(C=0.02, max_iter=60)
p = cross_val_predict(model, small, faces.codes, cv=3, method="predict_proba")
pred_probs = PredProbs(pd.DataFrame(p, faces.ids, list(faces.vocab)), source="logistic regression")
issues = rank_label_issues(faces, pred_probs).dropna(subset="suggestion").head(300)

def ten_votes(seed, label):
    "Simulate ten votes, three in four of them for the true label"
    probabilities = 0.75 * np.eye(7)[faces.vocab.index(label)] + 0.25 / 7
    return np.random.default_rng(seed).multinomial(10, probabilities)

votes = np.stack([ten_votes(seed, label) for seed, label in enumerate(faces.table.true_label)])
faces = faces.with_votes(pd.DataFrame(votes, faces.ids, faces.vocab))
"""
CELL = 'LabelCleaner(faces, issues, "edits.db", pred_probs, annotator="ann")'
KEYS = ("Enter", "Enter", "k", "Enter", "x", "Enter", "u", "k", "Enter")  # decisions in the screenshot
THEMES = {"light": "label_cleaner", "dark": "label_cleaner_dark"}


def write_prediction(path):
    "Write three portraits with the predictions of the bundled model"
    import numpy as np
    from PIL import Image, ImageOps
    from skimage.data import astronaut

    from fer_fastai.deploy.predictor import Predictor, annotate

    predictor = Predictor()
    portrait = Image.fromarray(astronaut()).crop((60, 0, 400, 340))
    rotated = portrait.rotate(20, Image.Resampling.BICUBIC, center=(164, 120))
    photos = [np.asarray(photo) for photo in (portrait, ImageOps.mirror(portrait), rotated)]
    annotated = [annotate(photo, predictor.predict(photo), predictor.vocab) for photo in photos]
    Image.fromarray(np.hstack(annotated)).save(path)


def write_report(path, browser, folder):
    "Write the upper part of the report of `fer demo`"
    command = Path(sys.executable).with_name("fer")
    subprocess.run([command, "demo", "--folder", folder / "demo"], check=True)
    page = browser.new_page(viewport={"width": 1000, "height": 1095})
    page.goto((folder / "demo" / "report.html").as_uri())
    page.screenshot(path=path)
    page.close()


def write_cleaner(images, browser, address, path):
    "Write the label cleaner after some decisions, in light and dark mode"
    lab = Lab(browser, address, path, width=1230, height=1150)
    lab.run_all()
    lab.page.locator(".fer-card").first.click()
    for number, key in enumerate(KEYS, 1):
        lab.page.keyboard.press(key)
        lab.page.locator(".fer-done", has_text=f"{number} of").wait_for()
    for _ in range(3):
        lab.page.keyboard.press("ArrowLeft")
    lab.page.locator(".fer-history li").first.wait_for()
    for theme, name in THEMES.items():
        lab.theme(theme)
        lab.page.wait_for_timeout(500)
        lab.page.locator(".fer-cleaner").screenshot(path=images / f"{name}.png")
    lab.close()
    if lab.errors:
        sys.exit(f"console of the browser: {lab.errors}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=ROOT / "nbs" / "images", help="folder for the images")
    images = parser.parse_args().to
    images.mkdir(parents=True, exist_ok=True)
    write_prediction(images / "predicted.png")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        path = notebook(folder / "clean.ipynb", FACES, CELL)
        with jupyterlab(folder) as address, chromium() as browser:
            write_report(images / "report.png", browser, folder)
            write_cleaner(images, browser, address, path)


if __name__ == "__main__":
    main()
