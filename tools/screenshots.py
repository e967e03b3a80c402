"""Pictures for README and tutorial: `python tools/screenshots.py` writes nbs/images/label_cleaner*.png, predicted.png and report.png

LabelCleaner: drawn faces with planted errors in a real JupyterLab; what the model thinks is a logistic regression's, out of fold.
Report: the page of `fer demo`.
Predictor: NASA's portrait of Eileen Collins (public domain), upright, mirrored, tilted, by the embedded model.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "browser"))
from lab import Lab, chromium, jupyterlab, notebook  # noqa: E402

FACES = """
import numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from fer_fastai.clean.pred_probs import PredProbs
from fer_fastai.clean.widget import LabelCleaner
from fer_fastai.data.synthetic import synthetic_faces
faces = synthetic_faces(1200, seed=3, label_errors=0.2)
small = faces.pixels.reshape(-1, 16, 3, 16, 3).mean(axis=(2, 4)).reshape(len(faces), -1)
small = (small - small.mean(axis=1, keepdims=True)) / small.std(axis=1, keepdims=True)
p = cross_val_predict(LogisticRegression(C=0.02, max_iter=60), small, faces.codes, cv=3, method="predict_proba")
own, best = p[np.arange(len(p)), faces.codes], p.argmax(axis=1)
table = pd.DataFrame({"kind": "label", "label": faces.table.label, "suggestion": np.array(faces.vocab)[best], "score": 1 - own, "split": faces.table.split,
                      "reason": [f"the model gives {faces.table.label.iloc[i]} {own[i]:.1%}" for i in range(len(p))]})
issues = table[best != faces.codes].sort_values("score", ascending=False).head(300)
votes = np.stack([np.random.default_rng(i).multinomial(10, 0.75 * np.eye(7)[faces.vocab.index(t)] + 0.25 / 7) for i, t in enumerate(faces.table.truth)])
faces = faces.with_votes(pd.DataFrame(votes, faces.ids, faces.vocab))
scores = Scores(pd.DataFrame(p.astype(np.float32), faces.ids, faces.vocab), features=None, source="logistic regression")
"""
CELL = 'LabelCleaner(faces, issues, "edits.db", scores, annotator="ann")'


def predicted(path):
    "Three portraits with what the embedded model says"
    import numpy as np
    from fer_fastai.deploy.predictor import Predictor, annotate
    from PIL import Image, ImageOps
    from skimage.data import astronaut

    predictor, portrait = Predictor(), Image.fromarray(astronaut()).crop((60, 0, 400, 340))
    seen = [np.asarray(photo) for photo in (portrait, ImageOps.mirror(portrait), portrait.rotate(20, Image.Resampling.BICUBIC, center=(164, 120)))]
    Image.fromarray(np.hstack([annotate(photo, predictor.predict(photo), predictor.vocab) for photo in seen])).save(path)


def reported(path, browser, place):
    "The upper part of the demo's report"
    subprocess.run([Path(sys.executable).with_name("fer"), "demo", "--folder", place / "demo"], check=True)
    page = browser.new_page(viewport={"width": 1000, "height": 1095})
    page.goto((place / "demo" / "report.html").as_uri())
    page.screenshot(path=path)
    page.close()


def main():
    images = ROOT / "nbs" / "images"
    images.mkdir(exist_ok=True)
    predicted(images / "predicted.png")
    with tempfile.TemporaryDirectory() as place:
        path = notebook(Path(place) / "clean.ipynb", FACES, CELL)
        with jupyterlab(Path(place)) as address, chromium() as browser:
            reported(images / "report.png", browser, Path(place))
            lab = Lab(browser, address, path, width=1230, height=1150)
            lab.run_all()
            lab.page.locator(".fer-card").first.click()
            for number, key in enumerate(["Enter", "Enter", "k", "Enter", "x", "Enter", "u", "k", "Enter"], 1):
                lab.page.keyboard.press(key)
                lab.page.locator(".fer-done", has_text=f"{number} of").wait_for()
            for key in ["ArrowLeft"] * 3:
                lab.page.keyboard.press(key)
            lab.page.locator(".fer-history li").first.wait_for()
            for theme, name in {"light": "label_cleaner", "dark": "label_cleaner_dark"}.items():
                lab.theme(theme)
                lab.page.wait_for_timeout(500)
                lab.page.locator(".fer-cleaner").screenshot(path=images / f"{name}.png")
            lab.close()
            if lab.errors:
                sys.exit(f"the browser's console: {lab.errors}")


if __name__ == "__main__":
    main()
