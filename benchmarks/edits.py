#!/usr/bin/env python3
"""Is an acknowledged decision ever lost? kill -9 of labelling processes, two writers at once, a crashing server; and how fast it is.

    python benchmarks/edits.py                      # writes benchmarks/results/edits.json; some minutes
    python benchmarks/edits.py --kills 10 --print   # a small try: prints, writes nothing
    python benchmarks/edits.py --kills 5 --quick    # SQLite's kills and the two writers alone, as the notebook's test does

A child process labels as fast as it can: batches of 1 to 40 faces, undo and redo between them. Before each act it says
on a pipe what it is about to do, and after the commit what came of it. It is killed (SIGKILL) at a random moment; then
the log is opened again and its new batches are compared with what the child had said: every acknowledged act, whole and
in order, and of the one that was under way all or nothing. One log lives through all kills. Children are forks of this
process, so that they start at once; each opens connections of its own.
"""

import argparse
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
from common import claim, write_result

from fer_fastai.clean.edit_log import DECISIONS, EditLog
from fer_fastai.data.faceset import FaceSet

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
from postgres import PostgresServer, no_postgres  # noqa: E402

SEED = 0
FER2013_FACES = 35887
ACTS = 30  # a child is killed after at most so many acknowledged acts


def faces(n):
    "A table is enough: no decision looks at pixels"
    vocab = FaceSet.__dataclass_fields__["vocab"].default
    labels = [vocab[i % len(vocab)] for i in range(n)]
    return FaceSet(pd.DataFrame({"label": labels}, index=[f"face/{i:05d}" for i in range(n)]))


def fork(work, *given):
    "Start a process that does `work` and writes lines; its id, and the reading end of its pipe"
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, os.fdopen(reading, "rb", buffering=0)
    status = 1
    try:  # the child; it must never come back into the parent's code
        os.close(reading)
        work(writing, *given)
        status = 0
    except BaseException as error:
        say(writing, {"error": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(status)


def say(pipe, message):
    os.write(pipe, json.dumps(message).encode() + b"\n")  # under 4096 bytes: whole or not at all


def act(log, rng, ids):
    "What to do next, as it is announced"
    do = rng.choices(["decide", "undo", "redo"], [8, 2, 1])[0]
    if do != "decide":
        return {"do": do}
    decision = rng.choice(DECISIONS)
    label = rng.choice(log.vocab) if decision == "relabel" else None
    return {"do": do, "faces": rng.sample(ids, rng.choice([1, 1, 1, 2, 5, 40])), "decision": decision, "label": label}


def perform(log, plan):
    "Do it; what is acknowledged"
    if plan["do"] != "decide":
        return {"done": getattr(log, plan["do"])()}
    log.add(plan["faces"], plan["decision"], plan["label"], source="benchmark")
    return {"done": plan["faces"]}


def label_for_ever(pipe, url, name, seed):
    log, rng = EditLog(url, annotator=name), random.Random(seed)
    ids = list(log.labels.index)
    while True:
        plan = act(log, rng, ids)
        say(pipe, plan)
        say(pipe, perform(log, plan))


def said(text):
    "(acknowledged acts, the one under way or None) from a child's lines"
    lines = [json.loads(line) for line in text.split(b"\n")[:-1]]  # a line without its end was not said
    wrong = next((line["error"] for line in lines if "error" in line), None)
    if wrong:
        raise SystemExit(f"a labelling process failed: {wrong}")
    plans, answers = lines[::2], lines[1::2]
    acts = [plan | answer for plan, answer in zip(plans, answers)]
    return [a for a in acts if a["done"]], plans[-1] if len(plans) > len(answers) else None


def kept(log, after):
    "The batches that the log holds since `after`, as the child would say them"
    found = []
    for _, batch in log.entries(after).groupby("batch"):
        first = batch.iloc[0]
        found.append({"do": first.action, "faces": batch.face_id.tolist(), "decision": first.decision, "label": first.label})
    return found


def same(kept_act, said_act):
    names = ("do", "faces", "decision", "label") if said_act["do"] == "decide" else ("do",)
    return all(kept_act[name] == said_act[name] for name in names) and kept_act["faces"] == said_act.get("done", kept_act["faces"])


def kill_once(url, log, number, rng, during=None):
    "One child, killed at a random moment; what was found afterwards"
    before = log.last
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
    "Acknowledged acts that are lost, and batches that nobody was about to write"
    acknowledged, under_way = said(text)
    found = kept(log, before)
    lost = sum(not (i < len(found) and same(found[i], a)) for i, a in enumerate(acknowledged))
    extra = found[len(acknowledged) :]
    allowed = len(extra) == 1 and under_way is not None and same(extra[0], under_way)
    return {"acknowledged": len(acknowledged), "decisions": sum(len(a["done"]) for a in acknowledged if a["do"] == "decide"),
            "lost": lost, "garbage": 0 if allowed else len(extra), "finished_unacknowledged": int(allowed)}  # fmt: skip


def total(found):
    return {name: sum(f[name] for f in found) for name in found[0]}


def sqlite_kills(folder, kills):
    path, everybody, rng, found = Path(folder, "kills.db"), faces(FER2013_FACES), random.Random(SEED), []
    log = EditLog(path, everybody, annotator="parent")
    for number in range(kills):
        before, text, killed = kill_once(str(path), log, number, rng)
        journal = path.with_name(path.name + "-journal")
        interrupted = journal.exists() and journal.stat().st_size > 0
        again = EditLog(path, everybody, annotator="parent")
        with contextlib.closing(sqlite3.connect(path)) as db:
            whole = db.execute("pragma integrity_check").fetchone()[0] == "ok"
        found.append(judge(again, before, text) | {"kills": int(killed), "in_a_transaction": int(interrupted), "damaged": int(not whole)})
    return total(found)


def postgres_kills(server, kills, crashes):
    "Clients killed, then the whole server under a client"
    rng, found = random.Random(SEED + 1), []
    log = EditLog(server.url, faces(FER2013_FACES), annotator="parent")
    for number in range(kills + crashes):
        crash = number >= kills
        before, text, killed = kill_once(server.url, log, f"{number}", rng, server.kill if crash else None)
        if crash:
            text = b"".join(line for line in text.splitlines(keepends=True) if b'{"error"' not in line)  # it lost its server
            server.start()
        wait_for_writers(log)
        again = EditLog(server.url, annotator="parent")
        found.append(judge(again, before, text) | {"kills": int(killed and not crash), "crashes": int(crash)})
    return total(found)


def wait_for_writers(log):
    "A killed client's last commit may still be on its way in the server: our turn comes after it"
    with log.transaction(writes=True):
        pass


def label_so_many(pipe, url, name, n):
    log = EditLog(url, annotator=name)
    ids = list(log.labels.index)
    for i in range(n):
        say(pipe, {"batch": log.add(ids[i % len(ids)], "keep")})


def together(url, n, writers=2):
    "Several processes label at once; nobody may fail, and nothing may be lost"
    log = EditLog(url, faces(1000), annotator="parent")
    start = time.perf_counter()
    children = [fork(label_so_many, url, f"writer {i}", n) for i in range(writers)]
    said_batches, failed, errors = [], 0, []
    for pid, pipe in children:
        lines = [json.loads(line) for line in pipe.readall().splitlines()]
        said_batches += [line["batch"] for line in lines if "batch" in line]
        errors += [line["error"] for line in lines if "error" in line]
        failed += os.waitpid(pid, 0)[1] != 0
    seconds = time.perf_counter() - start
    entries = log.entries()
    lost = len(set(said_batches) - set(entries.batch)) + len(said_batches) - len(set(said_batches)) + abs(len(entries) - writers * n)
    return {"writers": writers, "acknowledged": len(said_batches), "lost": lost, "failed": failed, "errors": errors,
            "decisions_per_s": round(len(said_batches) / seconds, 1)}  # fmt: skip


def milliseconds(work, n):
    "Each of n calls"
    times = []
    for i in range(n):
        start = time.perf_counter()
        work(i)
        times.append((time.perf_counter() - start) * 1e3)
    return times


def speed(url, n):
    "One annotator, one face a decision; then a log of FER2013's size is read"
    everybody = faces(FER2013_FACES)
    start = time.perf_counter()
    log = EditLog(url, everybody, annotator="ann")
    started = time.perf_counter() - start
    adds = milliseconds(lambda i: log.add(everybody.ids[i], "relabel", "sad", source="speed"), n)
    steps = milliseconds(lambda i: log.undo() if i % 2 == 0 else log.redo(), n // 5)
    many = milliseconds(lambda i: log.by(f"annotator {i}").add(everybody.ids, "keep"), 1)[0]
    logs = []
    reading = {
        "open": lambda i: logs.append(EditLog(url, everybody, annotator="ann")), "last": lambda i: log.last,
        "current": lambda i: log.current(), "resolved_latest": lambda i: log.consensus(),
        "resolved_majority": lambda i: log.consensus("majority"), "apply": lambda i: everybody.apply(log),
    }  # fmt: skip
    return {"adds": n, "add_ms": round(statistics.median(adds), 2), "add_ms_95": round(sorted(adds)[int(0.95 * len(adds))], 2),
            "decisions_per_s": round(1e3 * n / sum(adds), 1), "undo_redo_ms": round(statistics.median(steps), 2),
            "start_s": round(started, 3), "add_35887_at_once_s": round(many / 1e3, 3), "decisions_in_the_log": n + FER2013_FACES,
            **{f"{name}_s": round(statistics.median(milliseconds(work, 5)) / 1e3, 4) for name, work in reading.items()}}  # fmt: skip


def with_postgres(kills, acts):
    "All of it, each measurement on a server of its own"
    with PostgresServer() as server:
        measured = postgres_kills(server, kills, max(1, kills // 10))
        with EditLog(server.url).transaction() as db:
            measured["version"] = db.exec_driver_sql("show server_version").scalar().split()[0]
    with PostgresServer() as server:
        measured["together"] = together(server.url, acts)
    with PostgresServer() as server:
        return measured | {"speed": speed(server.url, acts)}


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--kills", type=int, default=200, help="of clients on SQLite; half as many on PostgreSQL")
    options.add_argument("--print", action="store_true", help="print what was measured and write nothing")
    options.add_argument("--quick", action="store_true", help="SQLite's kills and two writers alone; prints")
    options = options.parse_args()
    acts = min(500, max(20, 5 * options.kills))
    with tempfile.TemporaryDirectory() as folder:
        measured = {"sqlite": sqlite_kills(folder, options.kills)}
        measured["together"] = together(str(Path(folder, "together.db")), acts)
        if not options.quick:
            measured["sqlite_speed"] = speed(str(Path(folder, "speed.db")), acts)
    if not options.quick:
        measured["postgres"] = {"left_out": no_postgres()} if no_postgres() else with_postgres(max(1, options.kills // 2), acts)
    if options.quick or options.print:
        print(json.dumps(measured, indent=2))
        return
    write_result("edits", claims(measured), "fer_fastai.clean.edit_log.EditLog", [SEED], metrics=measured)


def claims(measured):
    one, two, fast, server = (measured[name] for name in ("sqlite", "together", "sqlite_speed", "postgres"))
    here = "left_out" not in server
    lost = one["lost"] + one["garbage"] + one["damaged"] + two["lost"] + two["failed"]
    survived = one["kills"] if not (one["lost"] or one["garbage"] or one["damaged"]) else 0
    how = (f"one SQLite log, {one['acknowledged']:,} acknowledged batches ({one['decisions']:,} decisions), {one['kills']} processes killed with SIGKILL "
           f"at random moments, {one['in_a_transaction']} of them inside a transaction")  # fmt: skip
    more = ""
    if here:
        lost += server["lost"] + server["garbage"] + server["together"]["lost"] + server["together"]["failed"]
        more = (f"; PostgreSQL {server['version']}: {server['kills']} killed clients and {server['crashes']} killed servers, {server['acknowledged']:,} acknowledged batches; "
                f"two writers at once on each, {two['acknowledged']} and {server['together']['acknowledged']} batches")  # fmt: skip
    alone = f"one annotator, one face a decision, median of {fast['adds']}, each on the disk before it counts"
    found = [claim("edits_kills_survived", survived, how + "; the log opened again after each, with all that was acknowledged, integrity_check ok"),
             claim("edits_lost", lost, f"acknowledged batches lost or changed, batches that nobody wrote, writers that failed; {how}{more}"),
             claim("edits_sqlite_add_ms", fast["add_ms"], f"{alone}; SQLite, synchronous=EXTRA"),
             claim("edits_sqlite_per_s", fast["decisions_per_s"], f"{alone.replace('median', 'mean')}; SQLite")]  # fmt: skip
    if here:
        found += [claim("edits_postgres_add_ms", server["speed"]["add_ms"], f"{alone}; PostgreSQL on the same machine through a Unix socket"),
                  claim("edits_postgres_per_s", server["speed"]["decisions_per_s"], f"{alone.replace('median', 'mean')}; PostgreSQL")]  # fmt: skip
    return found


if __name__ == "__main__":
    main()
