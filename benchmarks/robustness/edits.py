#!/usr/bin/env python3
"""Label decisions lost after kill -9 of labeling processes, with two writers at once and a crashing server; latency.

    .venv/bin/python benchmarks/robustness/edits.py                      some minutes
    .venv/bin/python benchmarks/robustness/edits.py --kills 10 --print   trial: prints, writes nothing
    .venv/bin/python benchmarks/robustness/edits.py --kills 5 --quick    SQLite and two writers alone; prints

A child process labels as fast as it can: batches of 1 to 40 faces, with undo and redo between them. It announces each
act on a pipe before the transaction and reports the outcome after the commit. It is killed (SIGKILL) at a random
moment. Then the log is opened again and its new batches are compared with the announcements. Every acknowledged act is
expected whole and in order. The act in progress is expected whole or not at all. One log is used for all kills.
Children are forks of this process, so that they start at once; each opens its own connections.

Needs: PostgreSQL of the operating system for its part
"""

import contextlib
import json
import os
import random
import signal
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from fer_fastai.clean.agreement import DECISIONS
from fer_fastai.clean.edit_log import EditLog
from fer_fastai.data.faceset import FaceSet

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import ROOT, Parser, claim, write_result

sys.path.insert(0, str(ROOT / "tools"))
from postgres import PostgresServer, no_postgres

SEED = 0
FER2013_FACES = 35887
ACTS = 30  # most acknowledged acts before a child is killed


def faces(n):
    "Return a FaceSet without pixels, which no decision needs"
    vocab = FaceSet.__dataclass_fields__["vocab"].default
    labels = [vocab[i % len(vocab)] for i in range(n)]
    return FaceSet(pd.DataFrame({"label": labels}, index=[f"face/{i:05d}" for i in range(n)]))


def fork(work, *given):
    "Start a process that runs `work`; return its id and the reading end of its pipe"
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, os.fdopen(reading, "rb", buffering=0)
    status = 1
    try:  # the child, which must never return into the parent's code
        os.close(reading)
        work(writing, *given)
        status = 0
    except BaseException as error:
        say(writing, {"error": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(status)


def say(pipe, message):
    "Write one message as a line"
    os.write(pipe, json.dumps(message).encode() + b"\n")  # under 4096 bytes, therefore atomic


def act(log, rng, ids):
    "Return the next act, as it is announced"
    do = rng.choices(["decide", "undo", "redo"], [8, 2, 1])[0]
    if do != "decide":
        return {"do": do}
    decision = rng.choice(DECISIONS)
    label = rng.choice(log.vocab) if decision == "relabel" else None
    return {"do": do, "faces": rng.sample(ids, rng.choice([1, 1, 1, 2, 5, 40])), "decision": decision, "label": label}


def perform(log, plan):
    "Perform an act; return the acknowledgement"
    if plan["do"] != "decide":
        return {"done": getattr(log, plan["do"])()}
    log.add(plan["faces"], plan["decision"], plan["label"], source="benchmark")
    return {"done": plan["faces"]}


def label_for_ever(pipe, url, name, seed):
    "Label until killed"
    log, rng = EditLog(url, annotator=name), random.Random(seed)
    ids = list(log.labels.index)
    while True:
        plan = act(log, rng, ids)
        say(pipe, plan)
        say(pipe, perform(log, plan))


def read_messages(text):
    "Return acknowledged acts, and the act in progress or None, from a child's lines"
    lines = [json.loads(line) for line in text.split(b"\n")[:-1]]  # an incomplete line does not count
    wrong = next((line["error"] for line in lines if "error" in line), None)
    if wrong:
        raise SystemExit(f"a labeling process failed: {wrong}")
    plans, answers = lines[::2], lines[1::2]
    acts = [plan | answer for plan, answer in zip(plans, answers, strict=False)]
    return [a for a in acts if a["done"]], plans[-1] if len(plans) > len(answers) else None


def kept(log, after):
    "Return the batches of the log since `after`, in the form of the announcements"
    found = []
    for _, batch in log.entries(after).groupby("batch"):
        first = batch.iloc[0]
        found.append(
            {"do": first.action, "faces": batch.face_id.tolist(), "decision": first.decision, "label": first.label}
        )
    return found


def same(kept_act, announced):
    "Return whether a batch of the log equals an announced act"
    names = ("do", "faces", "decision", "label") if announced["do"] == "decide" else ("do",)
    faces = announced.get("done", kept_act["faces"])
    return all(kept_act[name] == announced[name] for name in names) and kept_act["faces"] == faces


def kill_once(url, log, number, rng, during=None):
    "Kill a child at a random moment; return the last entry before, its messages, and whether it was killed"
    before = log.last_batch
    pid, pipe = fork(label_for_ever, url, f"child {number}", rng.randrange(2**32))
    wanted, text = rng.randrange(ACTS), b""
    while text.count(b'{"done"') < wanted and (more := pipe.read(65536)):
        text += more
    time.sleep(rng.random() * 0.02)
    (during or (lambda: os.kill(pid, signal.SIGKILL)))()
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
    while more := pipe.read(65536):
        text += more
    pipe.close()
    return before, text, os.WIFSIGNALED(status)


def judge(log, before, text):
    "Count acknowledged acts that are lost, and batches without an announcement"
    acknowledged, in_progress = read_messages(text)
    found = kept(log, before)
    lost = sum(not (i < len(found) and same(found[i], each)) for i, each in enumerate(acknowledged))
    extra = found[len(acknowledged) :]
    allowed = len(extra) == 1 and in_progress is not None and same(extra[0], in_progress)
    decisions = sum(len(act["done"]) for act in acknowledged if act["do"] == "decide")
    found = {"acknowledged": len(acknowledged), "decisions": decisions, "lost": lost}
    return found | {"garbage": 0 if allowed else len(extra), "finished_unacknowledged": int(allowed)}


def total(found):
    "Return the sums of counts"
    return {name: sum(f[name] for f in found) for name in found[0]}


def sqlite_kills(folder, kills):
    "Kill children that label into one SQLite log"
    path, everybody, rng, found = Path(folder, "kills.db"), faces(FER2013_FACES), random.Random(SEED), []
    log = EditLog(path, everybody, annotator="parent")
    for number in range(kills):
        before, text, killed = kill_once(str(path), log, number, rng)
        journal = path.with_name(path.name + "-journal")
        interrupted = journal.exists() and journal.stat().st_size > 0
        again = EditLog(path, everybody, annotator="parent")
        with contextlib.closing(sqlite3.connect(path)) as db:
            whole = db.execute("pragma integrity_check").fetchone()[0] == "ok"
        counts = {"kills": int(killed), "in_a_transaction": int(interrupted), "damaged": int(not whole)}
        found.append(judge(again, before, text) | counts)
    return total(found)


def postgres_kills(server, kills, crashes):
    "Kill clients, then the whole server under a client"
    rng, found = random.Random(SEED + 1), []
    log = EditLog(server.url, faces(FER2013_FACES), annotator="parent")
    for number in range(kills + crashes):
        crash = number >= kills
        before, text, killed = kill_once(server.url, log, f"{number}", rng, server.kill if crash else None)
        if crash:
            lines = text.splitlines(keepends=True)
            text = b"".join(line for line in lines if b'{"error"' not in line)  # the error is that of the lost server
            server.start()
        wait_for_writers(log)
        again = EditLog(server.url, annotator="parent")
        found.append(judge(again, before, text) | {"kills": int(killed and not crash), "crashes": int(crash)})
    return total(found)


def wait_for_writers(log):
    "Wait for the last commit of a killed client, which the server may still process"
    with log.transaction(writes=True):
        pass


def label_so_many(pipe, url, name, n):
    "Make n decisions"
    log = EditLog(url, annotator=name)
    ids = list(log.labels.index)
    for i in range(n):
        say(pipe, {"batch": log.add(ids[i % len(ids)], "keep")})


def together(url, n, writers=2):
    "Label in several processes at once; count failures and losses"
    log = EditLog(url, faces(1000), annotator="parent")
    start = time.perf_counter()
    children = [fork(label_so_many, url, f"writer {i}", n) for i in range(writers)]
    batches, failed, errors = [], 0, []
    for pid, pipe in children:
        lines = [json.loads(line) for line in pipe.readall().splitlines()]
        batches += [line["batch"] for line in lines if "batch" in line]
        errors += [line["error"] for line in lines if "error" in line]
        failed += os.waitpid(pid, 0)[1] != 0
    seconds = time.perf_counter() - start
    entries = log.entries()
    missing, repeated = len(set(batches) - set(entries.batch)), len(batches) - len(set(batches))
    lost = missing + repeated + abs(len(entries) - writers * n)
    found = {"writers": writers, "acknowledged": len(batches), "lost": lost, "failed": failed, "errors": errors}
    return found | {"decisions_per_s": round(len(batches) / seconds, 1)}


def milliseconds(work, n):
    "Return the duration of each of n calls"
    times = []
    for i in range(n):
        start = time.perf_counter()
        work(i)
        times.append((time.perf_counter() - start) * 1e3)
    return times


def speed(url, n):
    "Measure one annotator with one face per decision, then reading a log of FER2013's size"
    everybody = faces(FER2013_FACES)
    start = time.perf_counter()
    log = EditLog(url, everybody, annotator="ann")
    started = time.perf_counter() - start
    adds = milliseconds(lambda i: log.add(everybody.ids[i], "relabel", "sad", source="speed"), n)
    steps = milliseconds(lambda i: log.undo() if i % 2 == 0 else log.redo(), n // 5)
    many = milliseconds(lambda i: log.by(f"annotator {i}").add(everybody.ids, "keep"), 1)[0]
    logs = []
    reading = {
        "open": lambda i: logs.append(EditLog(url, everybody, annotator="ann")),
        "last": lambda i: log.last_batch,
        "current": lambda i: log.current(),
        "resolved_latest": lambda i: log.consensus_table(),
        "resolved_majority": lambda i: log.consensus_table("majority"),
        "apply": lambda i: everybody.apply(log),
    }
    return {
        "adds": n,
        "add_ms": round(statistics.median(adds), 2),
        "add_ms_95": round(sorted(adds)[int(0.95 * len(adds))], 2),
        "decisions_per_s": round(1e3 * n / sum(adds), 1),
        "undo_redo_ms": round(statistics.median(steps), 2),
        "start_s": round(started, 3),
        "add_35887_at_once_s": round(many / 1e3, 3),
        "decisions_in_the_log": n + FER2013_FACES,
        **{f"{name}_s": round(statistics.median(milliseconds(work, 5)) / 1e3, 4) for name, work in reading.items()},
    }


def with_postgres(kills, acts):
    "Measure PostgreSQL, each part on a new server"
    with PostgresServer() as server:
        measured = postgres_kills(server, kills, max(1, kills // 10))
        with EditLog(server.url).transaction() as db:
            measured["version"] = db.exec_driver_sql("show server_version").scalar().split()[0]
    with PostgresServer() as server:
        measured["together"] = together(server.url, acts)
    with PostgresServer() as server:
        return measured | {"speed": speed(server.url, acts)}


def main():
    parser = Parser(__doc__)
    parser.add_argument("--kills", type=int, default=200, help="of clients on SQLite; half as many on PostgreSQL")
    parser.add_argument("--print", action="store_true", help="print the measurements and write nothing")
    parser.add_argument("--quick", action="store_true", help="SQLite's kills and two writers alone; prints")
    options = parser.parse_args()
    acts = min(500, max(20, 5 * options.kills))
    with tempfile.TemporaryDirectory() as folder:
        measured = {"sqlite": sqlite_kills(folder, options.kills)}
        measured["together"] = together(str(Path(folder, "together.db")), acts)
        if not options.quick:
            measured["sqlite_speed"] = speed(str(Path(folder, "speed.db")), acts)
    if not options.quick:
        missing = no_postgres()
        measured["postgres"] = {"left_out": missing} if missing else with_postgres(max(1, options.kills // 2), acts)
    if options.quick or options.print:
        print(json.dumps(measured, indent=2))
    else:
        write_result("edits", claims(measured), seeds=[SEED], metrics=measured)


def speed_claims(database, found, note):
    "Return latency and rate of one database"
    words = {"sqlite": "SQLite", "postgres": "PostgreSQL"}[database]
    note = f"One annotator, one face per decision, {found['adds']} decisions, each on the disk. {note}"
    return [
        claim(
            f"edits_{database}_add_ms",
            found["add_ms"],
            f"Median time of one label decision, edit log on {words}",
            "ms",
            "lower",
            "cleaning",
            note=note,
        ),
        claim(
            f"edits_{database}_per_s",
            found["decisions_per_s"],
            f"Label decisions per second, edit log on {words}",
            "decisions/s",
            "higher",
            "cleaning",
            note=note,
        ),
    ]


def claims(measured):
    "Return the claims; PostgreSQL's where it was measured"
    one, two, server = (measured[name] for name in ("sqlite", "together", "postgres"))
    here = "left_out" not in server
    lost = one["lost"] + one["garbage"] + one["damaged"] + two["lost"] + two["failed"]
    survived = one["kills"] if not (one["lost"] or one["garbage"] or one["damaged"]) else 0
    batches = one["acknowledged"] + two["acknowledged"]
    if here:
        other = server["together"]
        lost += server["lost"] + server["garbage"] + other["lost"] + other["failed"]
        batches += server["acknowledged"] + other["acknowledged"]
    where = f"SQLite, and PostgreSQL with {server['crashes']} server crashes" if here else "SQLite"
    found = [
        claim(
            "edits_kills_survived",
            survived,
            "Processes killed while labeling without damage to the edit log",
            "kills",
            "higher",
            "robustness",
            seeds=[SEED],
            note=f"SQLite; SIGKILL, {one['in_a_transaction']} times inside a transaction; integrity checked.",
        ),
        claim(
            "edits_lost",
            lost,
            "Acknowledged label decisions lost or changed after kills and concurrent writes",
            "batches",
            "lower",
            "robustness",
            seeds=[SEED],
            note=f"Of {batches:,} acknowledged batches; {where}; two writers at once.",
        ),
        *speed_claims("sqlite", measured["sqlite_speed"], "synchronous=EXTRA."),
    ]
    return found + speed_claims("postgres", server["speed"], "Unix socket.") if here else found


if __name__ == "__main__":
    main()
