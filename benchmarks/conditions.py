"""Seven kinds of label errors on held-out faces of FER2013, and rankings to compare; used by issues.py and active.py

FER+ votes: a label is wrong when at most 1 of 10 voters chose it and at least 5 agree on another emotion. Injected
errors: labels that FER+ does not call wrong, changed uniformly or along the network's own confusions, for 5, 10 and
20 % of the faces. Votes are never an input of a ranking.
"""

import warnings
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from common import RUNS
from sklearn.metrics import average_precision_score, roc_auc_score

from fer_fastai.clean.impact import simulated_annotator
from fer_fastai.clean.pred_probs import PredProbs, predict_pred_probs
from fer_fastai.clean.ranking import RANKING_METHODS
from fer_fastai.data.emotions import FERPLUS_CLASSES
from fer_fastai.data.faceset import FaceSet
from fer_fastai.deploy.model_folder import as_learner, load_model_folder
from fer_fastai.deploy.predictor import pretrained_model

QUALITY = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")
FILTERS = ("prune_by_class", "prune_by_noise_rate", "both", "confident_learning", "predicted_neq_given")
NOISE = {"uniform": "uniform noise", "confusions": "noise along confusions"}
SHARES = (0.05, 0.1, 0.2)
VOTES = "FER+ votes"


class Condition(NamedTuple):
    "Faces with given labels, of which some are known to be wrong"

    name: str  # such as "uniform 5%"
    seed: int
    faces: FaceSet  # with the given labels
    pred_probs: PredProbs
    wrong: np.ndarray  # bool (n,)
    answers: np.ndarray  # answers of an annotator without errors: 1 wrong, 0 right, NaN unsure; float (n,)
    correct: np.ndarray  # class codes that the annotator gives; -1: none


def bundled_predictions(faces: FaceSet, model: str = "compact") -> PredProbs:
    "Predict the held-out faces by a bundled model, which was trained on Training; predictions are kept in runs/"
    folder = RUNS / f"heldout-{model}"
    if not folder.exists():
        learner = as_learner(load_model_folder(pretrained_model(model)), faces)
        tested = faces.subset((faces.table.split != "train").to_numpy())
        predict_pred_probs(learner, tested, source=model).save(folder)
    return PredProbs.load(folder)


def wrong_by_votes(faces: FaceSet) -> np.ndarray:
    "Mark labels that at most one of ten voters chose while five agree on another emotion: bool (n,)"
    votes = faces.votes.reindex(columns=list(FERPLUS_CLASSES)).fillna(0).to_numpy()
    rows, columns = np.arange(len(votes)), [FERPLUS_CLASSES.index(name) for name in faces.table.label]
    others = votes.copy()
    others[rows, columns] = -1
    return (votes[rows, columns] <= 1) & (others.max(1) >= 5)


def votes_condition(faces: FaceSet, pred_probs: PredProbs) -> Condition:
    "Return FER2013's own errors, with the answers of FER+'s majority"
    decided = simulated_annotator(faces)
    answers = np.where(decided.decision == "unsure", np.nan, (decided.decision != "keep").astype(float))
    codes = {name: code for code, name in enumerate(faces.vocab)}
    given = decided.label.where(decided.decision == "relabel", faces.table.label)
    correct = np.array([-1 if d in ("discard", "unsure") else codes[g] for d, g in zip(decided.decision, given)])
    return Condition(VOTES, 0, faces, pred_probs.select(faces), wrong_by_votes(faces), answers, correct)


def _error_table(labels: np.ndarray, probs: np.ndarray, kind: str) -> np.ndarray:
    "Return the probability of each wrong label: (k, k), rows sum to 1"
    k = probs.shape[1]
    if kind == "uniform":
        return (1 - np.eye(k)) / (k - 1)
    table = np.zeros((k, k))
    np.add.at(table, (labels, probs.argmax(1)), 1)
    np.fill_diagonal(table, 0)
    return (table + 1e-9) / (table + 1e-9).sum(1, keepdims=True)


def injected_condition(faces: FaceSet, pred_probs: PredProbs, kind: str, share: float, seed: int) -> Condition:
    "Change a share of the labels that FER+ confirms"
    faces = faces.subset(~wrong_by_votes(faces))
    pred_probs, rng, correct = pred_probs.select(faces), np.random.default_rng(seed), faces.codes
    table = _error_table(correct, pred_probs.probabilities.to_numpy(dtype=np.float64), kind)
    rows, labels = rng.permutation(len(correct))[: round(share * len(correct))], correct.copy()
    labels[rows] = [rng.choice(len(table), p=table[label]) for label in labels[rows]]
    wrong = np.isin(np.arange(len(labels)), rows)
    changed = faces.with_columns(label=np.array(faces.vocab, dtype=object)[labels])
    return Condition(f"{kind} {share:.0%}", seed, changed, pred_probs, wrong, wrong.astype(float), correct)


def conditions(faces: FaceSet, pred_probs: PredProbs, seeds) -> Iterator[Condition]:
    "Yield FER2013's own errors once, and injected errors for each kind, share and seed"
    yield votes_condition(faces, pred_probs)
    for kind in NOISE:
        for share in SHARES:
            for seed in seeds:
                yield injected_condition(faces, pred_probs, kind, share, seed)


def cleanlab_values(labels: np.ndarray, probabilities: np.ndarray) -> dict:
    "Return every ranking that cleanlab offers: name -> (n,), higher for more suspicious labels"
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for method in QUALITY:
            for adjusted in (False, True) if method != "confidence_weighted_entropy" else (False,):
                quality = get_label_quality_scores(labels, probabilities, method=method, adjust_pred_probs=adjusted)
                found[f"cleanlab {method}{' adjusted' * adjusted}"] = 1 - quality
        for rule in FILTERS:
            issues = find_label_issues(labels, probabilities, filter_by=rule, n_jobs=1)
            for method in QUALITY[:2]:
                quality = get_label_quality_scores(labels, probabilities, method=method)
                found[f"cleanlab {rule}, {method}"] = issues + 1 - quality
    return found


def ranking_values(condition: Condition) -> dict:
    "Return every ranking of the labels of a condition: name -> (n,), higher for more suspicious labels"
    labels, pred_probs = condition.faces.codes, condition.pred_probs
    absent = {"area_under_margin"} if pred_probs.margins is None else set()
    absent |= {"knn_disagreement"} if pred_probs.features is None else set()
    values = {name: method(labels, pred_probs) for name, method in RANKING_METHODS.items() if name not in absent}
    return values | cleanlab_values(labels, pred_probs.probabilities.to_numpy(dtype=np.float64))


def judge(wrong: np.ndarray, value: np.ndarray) -> dict:
    "Return the scores of a ranking, highest value first"
    order, n_wrong = np.argsort(-value, kind="stable"), int(wrong.sum())
    precision = {f"precision_at_{n}": wrong[order[:n]].mean() for n in (100, 500, 1000) if n <= len(wrong)}
    missed = 1 - wrong[order[:n_wrong]].sum() / n_wrong  # false-negative rate when as many are reviewed as are wrong
    return {
        "ap": average_precision_score(wrong, value),
        "auroc": roc_auc_score(wrong, value),
        "fnr": missed,
        **precision,
    }


def best_single(rows: dict) -> str:
    "Return the best ranking other than the combined one, by average precision"
    return max((name for name in rows if name != "combined"), key=lambda name: rows[name]["ap"])


def best_other(rows: dict) -> str:
    "Return the best of top loss and cleanlab's rankings, by average precision"
    others = [name for name in rows if name.startswith("cleanlab") or name == "label_loss"]
    return max(others, key=lambda name: rows[name]["ap"])
