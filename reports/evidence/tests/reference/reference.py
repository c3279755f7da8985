"""The figures of docs/figures.md, a second time, from their definitions alone.

Slow and plain on purpose: every rule is written as the page says it, with lists and loops over all requests. Nothing here was
taken from the program that it is held against. Standard library of Python 3 only.

    reference.py LINES         one JSON object a line: {"observations": {...}, "history": [...]}
    reference.py --folder DIR  the observations.json and history.jsonl of a run

Prints one line of figures for each.
"""

import json
import math
import pathlib
import sys

UNITS = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}


def microseconds(text):
    digits = text.rstrip("dhms")
    return round(float(digits) * UNITS[text[len(digits):]])


def share(text):
    return float(text.rstrip("%")) / 100


# What older runs did not note.
DEFAULTS = {
    "faults_us": [], "stalls_us": [], "undisturbed_us": 0, "load_stopped_us": None, "is_disturbed": False,
    "load_deadline_us": 0, "probe_deadline_us": 0,
}


class Run:
    """What was observed, under short names."""

    def __init__(self, observations, history):
        o = DEFAULTS | observations
        self.o, self.history = o, history
        level = o["service_level"]
        self.window = microseconds(level["sustained_for"])
        self.errors, self.throughput = share(level["errors"]), share(level["throughput"])
        pair = lambda bounds: (bounds["lower"], bounds["upper"])
        self.fault = pair(o["fault_us"]) if o["fault_us"] else None
        self.faults = [pair(bounds) for bounds in o["faults_us"]]
        self.stalls = [pair(bounds) for bounds in o["stalls_us"]]
        self.undisturbed = max(o["undisturbed_us"], o["load_started_us"])
        self.intended_rate = 1e6 / o["load_interval_us"] if o["load_interval_us"] else 0.0
        self.ended = o["load_ended_us"]
        sends = [r["sent_us"] for r in history if r["sender"] == "load"]
        self.stopped = o["load_stopped_us"]
        if self.stopped is None:
            self.stopped = max(sends) if sends else self.ended
        self.shortly = max(5 * o["load_interval_us"], 1_000_000)
        self.by_clients = [r for r in history if r["sender"] in ("load", "probe")]
        self.promised = [r for r in history if r["sender"] != "tight_loop"]


# Stalls


def widen(run, lower, upper):
    """An end that falls into a stall may have been any moment of it."""
    inside = lambda us: next((stall for stall in run.stalls if stall[0] <= us <= stall[1]), None)
    low, high = inside(lower), inside(upper)
    return (low[0] if low else lower, high[1] if high else upper)


def stalled(run, start, end):
    return sum(max(0, min(b, end) - max(a, start)) for a, b in run.stalls if a < end and b >= start)


# Outages. A request is (sent, returned, good, refused, of the load), in the order of sending.


def reduced(requests):
    rows = [
        (r["sent_us"], r["returned_us"], r["outcome"] == "ok", r["outcome"] == "refused", r["sender"] == "load")
        for r in requests
    ]
    return sorted(rows)


SENT, RETURNED, GOOD, REFUSED, LOAD = range(5)


def groups(rows, window):
    """Failures less than a window apart, or without a good request between them, are of one outage."""
    found = []
    for index, row in enumerate(rows):
        if row[GOOD]:
            continue
        if found:
            before = found[-1][-1]
            if row[SENT] - rows[before][SENT] < window or all(not r[GOOD] for r in rows[before:index]):
                found[-1].append(index)
                continue
        found.append([index])
    return found


def lucky(rows, failures):
    """Good requests between failures, answered before the last failure was sent."""
    first, last = failures[0], failures[-1]
    return sum(1 for r in rows[first:last] if r[GOOD] and r[RETURNED] < rows[last][SENT])


def good_ones_needed(rows, outage, at_the_end):
    if len(outage) >= 10 and lucky(rows, outage) == 0:
        return 1
    sample = outage[-10:] if at_the_end else outage[:10]
    hit, all_of_them = len(sample), len(sample) + lucky(rows, sample)
    return math.ceil(math.log(0.001) / math.log(1 - wilson_lower(hit, all_of_them)))


def wilson_lower(hit, all_of_them, z=2.576):
    p, n = hit / all_of_them, all_of_them
    return (p + z * z / (2 * n) - z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)


def end_of(rows, outage, load_ended):
    """(lower, upper, whether the upper end is a bound), or None where nothing good followed. `rows` end with the next outage."""
    last = outage[-1]
    answers = sorted(r[RETURNED] for r in rows[last:] if r[GOOD])
    if not answers:
        return None
    needed = good_ones_needed(rows, outage, True)
    bound = answers[needed - 1] if needed <= len(answers) else None
    of_load = [index for index in outage if rows[index][LOAD]]
    if bound is not None and needed > 1 and of_load:
        good = [r[RETURNED] for r in rows[of_load[-1]:] if r[GOOD] and r[LOAD]]
        bound = max(bound, min(good)) if good else None
    lower = rows[last][SENT]
    return (lower, max(load_ended if bound is None else bound, lower), bound is not None)


def beginning_of(rows, outage):
    needed = good_ones_needed(rows, outage, False)
    before = [r[SENT] for r in rows[:outage[0]] if r[GOOD]]
    lower = before[-needed] if needed <= len(before) else rows[0][SENT]
    return (lower, min(rows[index][RETURNED] for index in outage))


def outages(run):
    rows = reduced(run.by_clients)
    found = groups(rows, run.window)
    told = []
    for number, outage in enumerate(found):
        until = found[number + 1][0] if number + 1 < len(found) else len(rows)
        end = end_of(rows[:until], outage, run.ended)
        told.append({
            "began_ms": [us / 1e3 for us in widen(run, *beginning_of(rows[:until], outage))],
            "ended_ms": [us / 1e3 for us in widen(run, end[0], end[1])] if end else None,
            "failed_requests": len(outage),
            "upper_is_sample": bool(end) and not end[2],
        })
    return told


# The service level


def breaks(run, rate, good, failed, span):
    errors = failed / max(good + failed, 1)
    return errors > run.errors or good + 1 < rate * (span / 1e6) * run.throughput


def window_is_broken(run, rows, rate, opens, closed=False):
    closes = opens + run.window
    inside = [r for r in rows if r[LOAD] and opens <= r[SENT] and (r[SENT] < closes or closed)]
    good = sum(1 for r in inside if r[GOOD])
    span = run.window - min(stalled(run, opens, closes), run.window)
    return breaks(run, rate, good, len(inside) - good, span)


def rate_before(run, rows):
    begin = run.undisturbed
    begin += min(max(run.fault[0] - begin, 0) // 4, 500_000)
    good = sum(1 for r in rows if r[LOAD] and r[GOOD] and begin <= r[SENT] < run.fault[0])
    span = max(run.fault[0] - begin, 0) / 1e6
    return min(good / span if span > 0 else 0.0, run.intended_rate)


def service_back(run, rows, fault, until, rate):
    """(lower, upper, whether the upper end is a bound), or None where service was not sustained to the end."""
    rows = [r for r in rows if r[SENT] >= fault[0]]
    last_window = until - run.window
    if last_window < fault[0] or window_is_broken(run, rows, rate, last_window, closed=True):
        return None
    load = [r for r in rows if r[LOAD]]
    if not load or not load[-1][GOOD]:
        return None
    broken, opens = None, fault[0]
    for request in load:
        if opens > last_window:
            break
        if window_is_broken(run, rows, rate, opens):
            broken = request[SENT]
        opens = request[SENT] + 1
    start = fault[0] if broken is None else broken
    found = groups(rows, run.window)
    own = [n for n, g in enumerate(found) if any(start <= rows[index][SENT] < start + run.window for index in g)]
    bound = True
    if own:
        number = own[-1]
        stop = found[number + 1][0] if number + 1 < len(found) else len(rows)
        end = end_of(rows[:stop], found[number], run.ended)
        if end is None:
            return None
        upper, bound = end[1], end[2]
    else:
        if broken is None:
            answers = [r[RETURNED] for r in rows if r[GOOD] and r[SENT] >= fault[1]]
        else:
            answers = [r[RETURNED] for r in load if r[GOOD] and r[SENT] > broken]
        if not answers:
            return None
        upper = min(answers)
    lower = start
    if broken is not None:
        for request in (r for r in rows if r[SENT] >= broken):
            if request[GOOD]:
                break
            lower = request[SENT]
    lower, upper = widen(run, min(lower, upper), upper)
    return (lower, upper, bound)


def service_back_despite_us(run, rows, fault, until, rate):
    """A failure that was noticed in a stall of ours may be none: both answers are within the bounds."""
    ours = lambda r: not r[GOOD] and not r[REFUSED] and any(a <= r[RETURNED] <= b for a, b in run.stalls)
    one = service_back(run, rows, fault, until, rate)
    if not any(ours(r) for r in rows):
        return one
    excused = [(r[SENT], r[RETURNED], True, r[REFUSED], r[LOAD]) if ours(r) else r for r in rows]
    other = service_back(run, excused, fault, until, rate)
    if one is None and other is None:
        return None
    if one is None or other is None:
        only = one or other
        return (only[0], max(only[1], run.ended), False)
    return (min(one[0], other[0]), max(one[1], other[1]), one[2] and other[2])


# Was there anything to lose?


def is_exercised(run):
    if run.fault is None or run.o["is_disturbed"]:
        return False
    f0 = run.fault[0]
    recent = lambda r: r["outcome"] == "ok" and max(f0 - run.shortly, 0) <= r["returned_us"] <= f0
    if not any(recent(r) for r in run.promised):
        return False
    begin = max(f0 - run.window, 0, run.undisturbed)
    if begin >= f0:
        return False
    seen = [
        r for r in run.history
        if r["sender"] == "load" and r["sent_us"] >= run.undisturbed and begin <= r["returned_us"] < f0
    ]
    good = sum(1 for r in seen if r["outcome"] == "ok")
    return not breaks(run, run.intended_rate, good, len(seen) - good, max(f0 - begin - stalled(run, begin, f0), 0))


# RPO


def rpo(run):
    survivors = run.o["survivors"]
    if survivors is None:
        return None
    present, sent = set(survivors), {r["token"] for r in run.history}
    gone = [r for r in run.promised if r["outcome"] == "ok" and r["token"] not in present]
    gone.sort(key=lambda r: r["returned_us"])
    unanswered = [r for r in run.promised if r["outcome"] == "indeterminate"]
    missing = sum(1 for r in unanswered if r["token"] not in present)
    kept = [
        r for r in run.promised
        if r["outcome"] == "ok" and r["token"] in present and (not run.fault or r["returned_us"] <= run.fault[0])
    ]
    newest = max((r["sent_us"] for r in kept), default=None)
    exercised = is_exercised(run)
    stranded = run.o["stranded"]
    figures = {
        "exercised": exercised if run.fault else any(r["outcome"] == "ok" for r in run.history),
        "time_exercised": exercised if run.fault else bool(gone),
        "lost": [r["token"] for r in gone],
        "lost_writes": [len(gone), len(gone) + missing],
        "seconds": lost_time(run, gone),
        "resolution_seconds": resolution(run),
        "stranded": None if stranded is None else sum(1 for r in gone if r["token"] in set(stranded)),
        "recovered": len(unanswered) - missing,
        "phantom": sum(1 for r in run.history if r["outcome"] == "refused" and r["token"] in present),
        "unexpected": len(present - sent),
        "duplicated": sum(1 for token in present if survivors.count(token) > 1),
        "non_prefix_loss": 0 if newest is None else sum(1 for r in gone if r["returned_us"] < newest),
    }
    figures["verdict"] = evaluate_rpo(run, figures)
    return figures


def lost_time(run, gone):
    if not gone:
        return [0.0, 0.0]
    k, l = gone[0], gone[-1]
    struck = [fault for fault in run.faults if fault[1] >= k["sent_us"]]
    if not struck and run.fault:
        struck = [run.fault]
    f0, f1 = (struck[0][0], struck[-1][1]) if struck else (0, 0)
    return [
        max(0, max(f0, l["sent_us"]) - k["returned_us"]) / 1e6,
        (max(f1, l["returned_us"]) - k["sent_us"]) / 1e6,
    ]


def resolution(run):
    begin = run.o["load_started_us"]
    until = run.fault[1] if run.fault else run.ended
    start = max(max(run.fault[0] - run.shortly, 0), begin) if run.fault else begin
    answers = sorted(
        r["returned_us"] for r in run.promised if r["outcome"] == "ok" and start <= r["returned_us"] <= until
    )
    if answers and run.fault:
        answers.append(until)
    gaps = [later - earlier for earlier, later in zip(answers, answers[1:])]
    return (max(gaps) if gaps else max(until - begin, 0)) / 1e6


# RTO


def between(start, end):
    return [max(0, end[0] - start[1]) / 1e6, max(0, end[1] - start[0]) / 1e6]


def rto(run):
    figures = dict.fromkeys(["service", "recovery", "verified", "tight_loop", "failback"])
    figures.update(exercised=False, upper_is_sample=False, outages=outages(run))
    failback_is_sample = False
    if is_exercised(run):
        figures["exercised"] = True
        rows, fault, home = reduced(run.by_clients), run.fault, run.o["failback_us"]
        back_home = None
        if home is not None:
            cut_off = [(home, *r[1:]) for r in rows if r[SENT] < home < r[RETURNED] and not r[GOOD]]
            own = sorted(cut_off + [r for r in rows if r[SENT] >= home])
            back_home = service_back_despite_us(run, own, (home, home), run.stopped, rate_before(run, rows))
        until = run.stopped if home is None else home
        mine = [r for r in rows if r[SENT] < until]
        if home is not None:
            mine = [(r[SENT], r[RETURNED], r[GOOD] or r[RETURNED] > home, r[REFUSED], r[LOAD]) for r in mine]
        back = None
        if home is None or back_home is not None:
            back = service_back_despite_us(run, mine, fault, until, rate_before(run, mine))
        if back:
            figures["service"] = between(fault, back)
            figures["upper_is_sample"] = not back[2]
            started = run.o["recovery_started_us"]
            if started is not None:
                figures["recovery"] = between(widen(run, started, started), back)
        if run.o["verified_us"] is not None:
            figures["verified"] = between(fault, widen(run, run.o["verified_us"], run.o["verified_us"]))
        if back_home:
            figures["failback"] = between(widen(run, home, home), back_home)
            failback_is_sample = not back_home[2]
        probes = [r[:4] + (True,) for r in reduced([r for r in run.history if r["sender"] == "tight_loop"])]
        seen = service_back(run, probes, fault, run.stopped, 0.0)
        figures["tight_loop"] = between(fault, seen) if seen else None
    figures["verdict"] = evaluate_rto(run, figures)
    figures["failback_verdict"] = evaluate_failback(run, figures, failback_is_sample)
    return figures


# Verdicts


def evaluate(bounds, most, is_sample=False):
    if bounds[0] > most:
        return "failed"
    return "passed" if bounds[1] <= most and not is_sample else "inconclusive"


def worst(verdicts, otherwise="not_exercised"):
    for verdict in ("failed", "inconclusive", "passed"):
        if verdict in verdicts:
            return verdict
    return otherwise


def evaluate_rpo(run, figures):
    target = run.o["targets"]["rpo"] or {"lost_writes": None, "time": None}
    if target["lost_writes"] is None and target["time"] is None:
        return "not_declared"
    if not figures["exercised"]:
        return "not_exercised"
    verdicts = []
    if target["lost_writes"] is not None:
        verdicts.append("passed" if figures["lost_writes"][0] <= target["lost_writes"] else "failed")
    if target["time"] is not None and figures["time_exercised"]:
        verdicts.append(evaluate(figures["seconds"], microseconds(target["time"]) / 1e6))
    return worst(verdicts)


def evaluate_rto(run, figures):
    target = run.o["targets"]["rto"]
    if target is None:
        return "not_declared"
    most = microseconds(target["within"]) / 1e6
    if run.fault is None:
        return worst([evaluate_outage(outage, most) for outage in figures["outages"]])
    if not figures["exercised"]:
        return "not_exercised"
    measured = figures[target["endpoint"]]
    is_sample = figures["upper_is_sample"] and target["endpoint"] != "verified"
    return evaluate(measured, most, is_sample) if measured else "failed"


def evaluate_outage(outage, most):
    if outage["ended_ms"] is None:
        return "failed"
    (began0, began1), (ended0, ended1) = outage["began_ms"], outage["ended_ms"]
    return evaluate([max(0, ended0 - began1) / 1e3, max(0, ended1 - began0) / 1e3], most, outage["upper_is_sample"])


def evaluate_failback(run, figures, is_sample):
    target = run.o["targets"].get("failback")
    if target is None:
        return "not_declared"
    if run.o["failback_us"] is None or not figures["exercised"]:
        return "not_exercised"
    most = microseconds(target["within"]) / 1e6
    return evaluate(figures["failback"], most, is_sample) if figures["failback"] else "failed"


# Load


def load(run):
    deadline = {"load": run.o["load_deadline_us"], "probe": run.o["probe_deadline_us"]}
    waits = []
    for r in run.by_clients:
        waited = max(0, r["returned_us"] - r["intended_us"])
        if r["outcome"] == "ok":
            waits.append(waited)
        elif r["outcome"] == "indeterminate":
            waits.append(max(waited, deadline[r["sender"]]))
    waits.sort()
    at = lambda quantile: waits[max(math.ceil(quantile * len(waits)), 1) - 1] / 1e3
    count = lambda outcome: sum(1 for r in run.by_clients if r["outcome"] == outcome)
    return {
        "acknowledged": count("ok"),
        "refused": count("refused"),
        "indeterminate": count("indeterminate"),
        "latency_ms": {"p50": at(0.5), "p99": at(0.99), "max": waits[-1] / 1e3} if waits else None,
    }


def figures_of(observations, history):
    run = Run(observations, history)
    return {"rpo": rpo(run), "rto": rto(run), "load": load(run)}


def main():
    if sys.argv[1] == "--folder":
        folder = pathlib.Path(sys.argv[2])
        history = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
        print(json.dumps(figures_of(json.loads((folder / "observations.json").read_text()), history)))
        return
    with open(sys.argv[1], encoding="utf-8") as lines:
        for line in lines:
            told = json.loads(line)
            print(json.dumps(figures_of(told["observations"], told["history"])))


if __name__ == "__main__":
    main()
