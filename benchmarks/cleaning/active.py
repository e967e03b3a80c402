"""Wrong labels found after N reviews by a simulated annotator, for static rankings and the learned ranking.

    .venv/bin/python benchmarks/cleaning/active.py        about 40 minutes on two cores

Seven conditions on PublicTest and PrivateTest, scored by the bundled compact network (conditions.py), three seeds. The
first annotator gives FER+'s majority, or the label before an error was injected. The second annotator errs in 10 % of
the answers: a wrong label is kept, or a right one is changed to the suggestion. The learned ranking is fitted again
after each batch of 50 decisions, with the code of the label cleaner (clean.learned_ranking).

ActiveLab (cleanlab.multiannotator) is computed again after each batch of 250 decisions. Its two annotators are the
given labels and the reviews. Of the faces without a review, those with the lowest scores come next. The oracle reviews
wrong labels first. Constants of the learned ranking were chosen on Training with cross-validated networks.

Needs: FER2013
"""

import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from cleanlab.multiannotator import get_active_learning_scores

from fer_fastai.clean.learned_ranking import LearnedRanking
from fer_fastai.clean.pred_probs import PredProbs
from fer_fastai.clean.ranking import most_likely_other
from fer_fastai.data.faceset import FaceSet
from fer_fastai.data.readers import load_fer2013

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import Parser, claim, write_result
from conditions import VOTES, best_other, bundled_predictions, conditions, judge, ranking_values

SEEDS = (1, 2, 3)
AT = (500, 1000, 2000, 4000)  # reviews
BATCH, ACTIVELAB_BATCH = 50, 250  # decisions after which a ranking is computed again
ERRORS = (0.0, 0.1)  # fraction of wrong answers of the annotator
SPLIT = "PublicTest + PrivateTest"
CHOSEN = "Training: constants of the learning ranking"


class Annotator:
    "Simulated annotator of the faces of a condition"

    def __init__(self, condition, errors: float, seed: int):
        self.condition, self.ids = condition, condition.faces.ids
        labels = condition.faces.codes
        probs = condition.pred_probs.probabilities.to_numpy()
        rng = np.random.default_rng(1000 + seed)
        slips = rng.random(len(labels)) < errors
        answers = condition.answers.copy()
        answers[slips] = 1 - answers[slips]  # NaN stays unsure
        self.wrong = answers
        changed = np.where(condition.correct >= 0, condition.correct, labels)
        suggestion = most_likely_other(labels, probs)
        self.labels = np.where(answers == 1, np.where(changed == labels, suggestion, changed), labels)

    def decisions(self, rows: np.ndarray) -> pd.DataFrame:
        "Return decisions in the form of EditLog.current"
        answer = self.wrong[rows]
        names = np.select([np.isnan(answer), answer == 1], ["unsure", "relabel"], "keep")
        return pd.DataFrame({"decision": names}, index=self.ids[rows])


def review(first: np.ndarray, batch: int, score=None) -> np.ndarray:  # rows in the order of review
    "Review the faces in the order of `first`; `score(rows)` returns a new order after each batch, or None"
    order, done, sequence = np.argsort(-first, kind="stable"), np.zeros(len(first), bool), []
    total = min(max(AT), len(first))
    while len(sequence) < total:
        rows = order[~done[order]][: min(batch, total - len(sequence))]
        done[rows] = True
        sequence.extend(rows)
        values = None if score is None else score(np.array(sequence))
        if values is not None:
            order = np.argsort(-values, kind="stable")
    return np.array(sequence)


def activelab(condition, annotator: Annotator):
    "Return a function that scores the faces by ActiveLab after some reviews, higher for the next ones"
    given = condition.faces.codes.astype(float)
    probs = condition.pred_probs.probabilities.to_numpy(dtype=np.float64)

    def score(rows: np.ndarray) -> np.ndarray:
        reviewed = np.full(len(given), np.nan)
        answered = rows[~np.isnan(annotator.wrong[rows])]
        reviewed[answered] = annotator.labels[answered]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            quality, _ = get_active_learning_scores(pd.DataFrame({"given": given, "review": reviewed}), probs)
        return -quality

    return score


def found_after(condition, sequence: np.ndarray) -> list[int]:
    "Count the wrong labels among the first reviews"
    return [int(condition.wrong[sequence[:n]].sum()) for n in AT]


def orders(condition, annotator: Annotator, seed: int) -> dict:
    "Return ranking -> wrong labels found after AT reviews"
    values, n = ranking_values(condition), len(condition.wrong)
    rows = {name: judge(condition.wrong, value) for name, value in values.items()}
    static = values["combined"]
    learned, active = LearnedRanking(condition.faces, condition.pred_probs), activelab(condition, annotator)

    def learn(reviewed: np.ndarray):
        scores = learned.score(annotator.decisions(reviewed))
        return None if scores is None else scores.to_numpy()

    sequences = {
        "label loss": review(values["label_loss"], n),
        "static default": review(static, n),
        "cleanlab's best": review(values[best_other({k: v for k, v in rows.items() if k != "label_loss"})], n),
        "best static": review(values[max(rows, key=lambda name: rows[name]["ap"])], n),
        "ActiveLab": review(values["cleanlab self_confidence"], ACTIVELAB_BATCH, active),  # needs a first batch
        "learning": review(static, BATCH, learn),
        "random": np.random.default_rng([7, seed]).permutation(n)[: max(AT)],
        "oracle": review(condition.wrong.astype(float), n),
    }
    return {name: found_after(condition, sequence) for name, sequence in sequences.items()}


def measure(tested: FaceSet, pred_probs: PredProbs) -> pd.DataFrame:
    "Return one row per condition, annotator, seed, ranking and number of reviews"
    rows = []
    for condition in conditions(tested, pred_probs, SEEDS):
        for errors in ERRORS:
            for seed in [condition.seed] if condition.seed else SEEDS if errors else [1]:
                found = orders(condition, Annotator(condition, errors, seed), seed)
                for ranking, counts in found.items():
                    rows += [
                        (condition.name, errors, seed, ranking, n, count, int(condition.wrong.sum()))
                        for n, count in zip(AT, counts)
                    ]
                shown = {name: counts[1] for name, counts in found.items()}
                print(condition.name, f"errors {errors:.0%}", seed, "at 1,000:", shown, flush=True)
    return pd.DataFrame(rows, columns=["condition", "errors", "seed", "ranking", "reviews", "found", "wrong"])


def interval(values) -> list[float]:
    "Return the smallest and the largest value over seeds"
    return [float(min(values)), float(max(values))]


def time_reranking(n: int, decided: int = 2000) -> float:
    "Return the seconds that a new order of `n` faces takes, after the evidence was collected"
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.full(7, 0.5), n).astype(np.float32)
    ids = pd.Index(np.arange(n).astype(str))
    vocab = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    labels = np.array(vocab, dtype=object)[rng.integers(0, 7, n)]
    faces = FaceSet(pd.DataFrame({"label": labels, "path": "none.png"}, index=ids), vocab)
    features = rng.normal(size=(n, 64)).astype(np.float32)
    ranking = LearnedRanking(faces, PredProbs(pd.DataFrame(probs, ids, list(vocab)), features=features))
    choices = np.array(["keep", "relabel"], dtype=object)[rng.integers(0, 2, decided)]
    decisions = pd.DataFrame({"decision": choices}, index=ids[:decided])
    times = []
    for _ in range(3):
        start = time.perf_counter()
        ranking.score(decisions)
        times.append(time.perf_counter() - start)
    return sorted(times)[1]


def ratio_claim(table: pd.DataFrame, errors: float, id: str, note: str) -> dict:
    "Return the claim of wrong labels found at 1,000 reviews against label loss, on FER+ votes"
    at = table[(table.condition == VOTES) & (table.errors == errors) & (table.reviews == 1000)]
    learned = at[at.ranking == "learning"].found
    base = at[at.ranking == "label loss"].found.mean()
    ratios = (learned / base).tolist()
    others = at.groupby("ranking", sort=False).found.mean()
    static, activelab = (round(others[name]) for name in ("static default", "ActiveLab"))
    shown = f"{learned.mean():.0f} found; static default {static}, ActiveLab {activelab}."
    return claim(
        id,
        float(np.mean(ratios)),
        f"Wrong labels found in 1,000 reviews, learning ranking, {note}",
        "ratio",
        "higher",
        "cleaning",
        split=f"{SPLIT}, FER+ votes",
        tta="flip",
        selected_on=CHOSEN,
        seeds=sorted(at.seed.unique()),
        reference=1.0,
        reference_source=f"order of top losses ({base:.0f} found)",
        interval=interval(ratios) if len(ratios) > 1 else None,
        note=shown,
    )


def worst_ratio_claim(table: pd.DataFrame) -> dict:
    "Return the claim of the condition and number of reviews where learning is worst against the best static ranking"
    perfect = table[table.errors == 0]
    means = perfect.groupby(["condition", "reviews", "ranking"], sort=False).found.mean().unstack()
    static = means[["label loss", "static default", "cleanlab's best", "best static"]].max(axis=1)
    ratios = means["learning"] / static
    condition, reviews = ratios.idxmin()
    return claim(
        "learning_ranking_worst_condition_vs_best_static_ratio",
        ratios.min(),
        "Wrong labels found, learning ranking, worst of 7 conditions",
        "ratio",
        "higher",
        "cleaning",
        split=SPLIT,
        tta="flip",
        selected_on=CHOSEN,
        seeds=SEEDS,
        reference=1.0,
        reference_source="best static ranking of the condition, wrong labels known",
        note=f"Worst of 500 to 4,000 reviews: {condition} at {reviews:,}.",
    )


def time_claims() -> list:
    "Return the claims of the time of a new order"
    common = {"unit": "s", "better": "lower", "topic": "cleaning"}
    return [
        claim("rerank_36k_s", time_reranking(36_000), "New order of 36,000 faces after 2,000 decisions", **common),
        claim("rerank_1m_s", time_reranking(1_000_000), "New order of 1,000,000 faces after 2,000 decisions", **common),
    ]


def main():
    Parser(__doc__).parse_args()
    times = time_claims()
    faces = load_fer2013()
    tested = faces.subset((faces.table.split != "train").to_numpy())
    table = measure(tested, bundled_predictions(faces).select(tested))
    means = table.groupby(["condition", "errors", "ranking", "reviews"], sort=False).found.mean().unstack()
    shown: dict = {}
    for (name, errors, ranking), counts in means.iterrows():
        shown.setdefault(f"{name}, annotator errs in {errors:.0%}", {})[ranking] = counts.round(1).tolist()
    found = [
        ratio_claim(table, 0.0, "learning_ranking_found_at_1000_vs_label_loss_ratio", "perfect annotator"),
        ratio_claim(table, 0.1, "learning_ranking_found_at_1000_noisy_annotator_ratio", "annotator errs in 10 %"),
        worst_ratio_claim(table),
    ]
    seeds, batches = list(SEEDS), {"learning": BATCH, "ActiveLab": ACTIVELAB_BATCH}
    write_result("active", [*found, *times], seeds=seeds, reviews=list(AT), batches=batches, found=shown, tables=table)


if __name__ == "__main__":
    main()
