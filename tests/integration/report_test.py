#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kronos report on logs of real programs: report_test.py BUILD text|predictions|page

text: sums, reasons and comparisons are those of the log. predictions: what an observe-only log predicts is what happens when
the features are on, for every workload. page: headless Chromium shows the page at two widths.
"""
import json
import sys
import tempfile
from pathlib import Path

import browser
from harness import LAYER, SPY, expect, log_lines, main, run

QUIET = {"KRONOS_LOG_LEVEL": "off"}
OBSERVE = {**QUIET, "KRONOS_PRESET": "observe"}
# The observed features, on whatever the driver; nothing else changes what is counted of them.
ON = {**QUIET, "KRONOS_BARRIERS": "on", "KRONOS_RECYCLE_FENCES": "on", "KRONOS_RECYCLE_MEMORY": "on", "KRONOS_WAITS": "on", "KRONOS_SUBMITS": "always",
      "KRONOS_SUBMIT_HOLD": "20000", "KRONOS_DESCRIPTORS": "on"}


def write_log(tree, scratch, log, workload, settings, driver="lavapipe", layers=(LAYER,), writing="naive", **more):
    command = [tree.program("kronos-workloads"), "--size", "16K", "--repeat", "3", "--dispatches", "6", "--only", workload, "--writing", writing,
               *(["--no-verify"] if driver == "mock" else [])]
    run(command, tree.environment(driver, scratch, layers, KRONOS_STATS_FILE=log, **settings, **more))
    return log


def report(tree, scratch, *arguments, expect_code=0):
    return run([tree.program("kronos"), "report", *arguments], tree.environment("mock", scratch), expect_code=expect_code)


def report_json(tree, scratch, *arguments):
    return json.loads(report(tree, scratch, "--json", *arguments).stdout)


def same_sums(group, logs, where):
    """The report's counters are the sums of the logs' summaries."""
    summaries = [line for log in logs for line in log_lines(log, "summary")]
    for side in ("asked", "driver"):
        sums = {}
        for summary in summaries:
            for name, n in summary[side].items():
                sums[name] = sums.get(name, 0) + n
        found = {name: counter[side] for name, counter in group["counters"].items() if counter[side]}
        expect(found == sums, f"{where}, {side}: {found} in the report, {sums} in the log")


def text(tree, scratch):
    before, after, spy = (Path(scratch) / name for name in ("before.jsonl", "after.jsonl", "spy.json"))
    for name in ("saxpy", "alloc-storm"):
        write_log(tree, scratch, before, name, OBSERVE)
        write_log(tree, scratch, after, name, ON)
    group, = report_json(tree, scratch, after)["groups"]
    expect(group["runs"] == 2 and group["unfinished"] == 0 and group["type"] == "cpu", f"{group['runs']} runs on {group['type']}")
    same_sums(group, [after], "after")
    states = {feature["setting"]: feature["state"] for feature in group["features"]}
    # Whether waits gained depends on how long they took.
    expect(len(states) == 8 and states["recycle_fences"] == states["recycle_memory"] == "gained", f"{states}")
    said = report(tree, scratch, after, "--against", before).stdout
    fences = group["counters"]["fences_created"]
    for needle in ("kronos-workloads on llvmpipe", f"{fences['asked'] - fences['driver']} of {fences['asked']} fences the driver never made",
                   "vkCreateFence served by a fence of an earlier life", "Compared: kronos-workloads", "setting barriers: 'observe' before, 'on' after"):
        expect(needle in said, f"'{needle}' is not in the report: {said}")
    compared, = report_json(tree, scratch, after, "--against", before)["comparisons"]
    row, = [d for d in compared["differences"] if (d["name"], d["side"]) == ("fences_created", "driver")]
    expect(row["after"] == fences["driver"] and row["before"] == fences["asked"], f"compared: {row}")

    # The same numbers as the spy's, which counts below the layer.
    log = write_log(tree, scratch, Path(scratch) / "spied.jsonl", "reduction", ON, layers=(LAYER, SPY), SPY_OUT=spy)
    group, = report_json(tree, scratch, log)["groups"]
    counted = json.loads(spy.read_text())["counters"]
    for name in ("dispatches", "barrier_calls", "submits", "fences_created", "allocations"):
        expect(group["counters"][name]["driver"] == counted[name], f"{name}: {group['counters'][name]} in the report, the spy counted {counted[name]}")

    # As a trace: the frames of the log, at their times.
    trace = Path(scratch) / "trace.json"
    report(tree, scratch, log, "--trace", trace)
    slices = [event for event in json.loads(trace.read_text())["traceEvents"] if event["ph"] == "X"]
    frames = log_lines(log, "frame")
    expect([(s["name"], round(s["ts"] / 1e3, 3), round(s["dur"] / 1e3, 3), s["args"]["submits"]["asked"]) for s in slices] ==
           [(f"frame {f['frame']}", f["at_ms"], f["ms"], f["asked"].get("submits", 0)) for f in frames], "the trace's frames")

    # What cannot be read has its one line, and what can be is shown.
    lines = log.read_text().splitlines()
    damaged = Path(scratch) / "damaged.jsonl"
    damaged.write_text("\n".join([lines[0], lines[1][:40], '{"v":9,"event":"frame"}', *lines[1:]]) + "\n")
    done = report(tree, scratch, damaged)
    for needle in (f"1 of {len(lines) + 2} lines are damaged and were skipped; the first is {damaged}:2:", "the first says version 9"):
        expect(needle in done.stdout, f"'{needle}' is not told: {done.stdout}")
    for path, why in ((Path(scratch) / "none", "No such file"), (Path(scratch), "Is a directory"), (spy, "holds no statistics")):
        done = report(tree, scratch, path, expect_code=1)
        expect(why in done.stderr and str(path) in done.stderr and not done.stdout, f"{path}: {done.stdout}{done.stderr}")
    done = report(tree, scratch, log, "--html", "/nonexistent/page.html", expect_code=1)
    expect("/nonexistent/page.html cannot be written: No such file" in done.stderr, done.stderr)


def predictions(tree, scratch):
    listed = Path(scratch) / "list.json"
    run([tree.program("kronos-workloads"), "--list", "--json", listed], tree.environment("mock", scratch))
    workloads = [k["name"] for k in json.loads(listed.read_text())["workloads"] if k["built"] and set(k["writings"]) >= {"naive", "expert"}]
    expect(len(workloads) >= 15, f"only {workloads}")
    exact = bounded = 0
    for name in workloads:
        for writing in ("naive", "expert"):
            where = f"{name}, {writing}"
            before, after = (Path(scratch) / f"{name}-{writing}-{which}.jsonl" for which in ("before", "after"))
            write_log(tree, scratch, before, name, OBSERVE, "mock", writing=writing)
            # Where sets persist, binds repeat that did not: that is another feature's gain.
            write_log(tree, scratch, after, name, {**ON, "KRONOS_DESCRIPTORS": "off"}, "mock", writing=writing)
            predicted, = report_json(tree, scratch, before)["groups"]
            happened, = report_json(tree, scratch, after)["groups"]
            said = {p["counter"]: (feature, p) for feature in predicted["features"] for p in feature["predictions"]}

            def fewer(name, counters=happened["counters"]):
                counter = counters.get(name, {"asked": 0, "driver": 0})
                return counter["asked"] - counter["driver"]

            # What was observed is sure, and what is not predicted does not happen.
            for counter in ("barrier_calls", "pipeline_binds", "set_binds", "pushes", "push_descriptors"):
                _, p = said.pop(counter, (None, {"fewer_at_least": 0, "fewer_at_most": 0}))
                expect(p["fewer_at_least"] == p["fewer_at_most"] == fewer(counter), f"{where}: {p} predicted, {fewer(counter)} {counter} fewer")
                exact += p["fewer_at_most"] > 0
            for counter, (feature, p) in said.items():
                asked = happened["counters"][counter]["asked"]
                expect(p["asked"] == asked, f"{where}: the program asked for {asked} {counter}, then for {p['asked']}")
                expect(p["fewer_at_least"] <= p["fewer_expected"] <= p["fewer_at_most"] <= asked, f"{where}: {p}")
                # How long waits take is another time's, and command buffers are fused only on some drivers.
                if counter not in ("waits", "command_buffers"):
                    expect(p["fewer_at_least"] <= fewer(counter) <= p["fewer_at_most"], f"{where}: {p} predicted, {fewer(counter)} fewer")
                    bounded += 1
            for counter in ("submits", "fences_created", "allocations"):
                expect(counter in said or fewer(counter) <= 0, f"{where}: {fewer(counter)} {counter} fewer, and nothing was predicted")
    expect(exact >= 5 and bounded >= 15, f"only {exact} exact and {bounded} bounded predictions were tried")


# Everything that is drawn and written, as the browser has it.
SHOWN = """(() => {
  const box = e => { const b = e.getBoundingClientRect(); return [b.left, b.right, b.width, b.height]; };
  const texts = [...document.querySelectorAll('body *')].filter(e => !['SCRIPT', 'STYLE'].includes(e.tagName) &&
      [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) && e.getClientRects().length);
  return {
    width: document.documentElement.clientWidth, scroll: document.documentElement.scrollWidth,
    charts: [...document.querySelectorAll('figure.chart')].map(f => ({id: f.id, svg: box(f.querySelector('svg')), lines: [...f.querySelectorAll('polyline')].map(l =>
        ({points: l.getAttribute('points'), stroke: getComputedStyle(l).stroke, thick: parseFloat(getComputedStyle(l).strokeWidth), box: box(l)})),
        legend: f.querySelectorAll('.key').length})),
    bars: [...document.querySelectorAll('svg.bar rect')].map(box),
    cells: [...document.querySelectorAll('td[data-counter]')].map(c => [c.dataset.counter, c.dataset.side, c.textContent]),
    reasons: [...document.querySelectorAll('[data-reason]')].map(r => [r.dataset.reason, r.textContent]),
    small: Math.min(...texts.map(e => parseFloat(getComputedStyle(e).fontSize))),
    outside: texts.filter(e => { const b = e.getBoundingClientRect(); return b.left < -0.5 || b.right > document.documentElement.clientWidth + 0.5; }).map(e => e.textContent.slice(0, 40)),
    report: document.getElementById('report').textContent, drawn: document.getElementById('charts').textContent};
})()"""


def check_page(shown, log, width):
    where = f"{width} pixels"
    expect(shown["width"] == width and shown["scroll"] <= width and not shown["outside"], f"{where}: wider than the screen: {shown['scroll']}, {shown['outside']}")
    expect(shown["small"] >= 12, f"{where}: text of {shown['small']} pixels")
    same_sums(json.loads(shown["report"])["groups"][0], [log], where)
    summary, = log_lines(log, "summary")
    cells = {(name, side): text for name, side, text in shown["cells"]}
    for side in ("asked", "driver"):
        for name, n in summary[side].items():
            wanted = f"{n / 1e6:.3f} ms" if name.endswith("_ns") else str(n)
            expect(cells.get((name, side)) == wanted, f"{where}: {side} {name} is {cells.get((name, side))}, in the log {n}")
    reasons = dict(shown["reasons"])
    expect(len(reasons) >= 8 and all(summary["did"][name] == int(n) for name, n in reasons.items()), f"{where}: reasons {reasons}, in the log {summary['did']}")
    expect(len(shown["bars"]) == len(shown["reasons"]) and all(b[2] > 0 and b[3] >= 4 and b[1] <= width for b in shown["bars"]), f"{where}: a bar is not seen")

    # What is drawn is what the log says, frame by frame.
    frames = log_lines(log, "frame")
    series = {("barriers", "asked"): ("asked", "barrier_calls", 1), ("barriers", "reached the driver"): ("driver", "barrier_calls", 1),
              ("barriers", "necessary within command buffers"): ("did", "barriers_necessary", 1), ("submits", "asked"): ("asked", "submits", 1),
              ("allocations", "asked"): ("asked", "allocations", 1), ("allocations", "reached the driver"): ("driver", "allocations", 1),
              ("bytes", "asked"): ("asked", "allocated_bytes", 1 / (1 << 20)), ("wait", "the program waited"): ("asked", "wait_ns", 1e-6)}
    drawn = {chart["id"].split("-", 1)[1]: chart for chart in json.loads(shown["drawn"])}
    pictures = {chart["id"].split("-", 1)[1]: chart for chart in shown["charts"]}
    expect(set(drawn) == set(pictures) and {"barriers", "submits", "wait", "allocations", "bytes"} <= set(drawn), f"{where}: charts {sorted(pictures)}")
    for kind, chart in drawn.items():
        picture = pictures[kind]
        highest = max(max(line["points"]) for line in chart["lines"])
        expect(picture["svg"][2] > width * 0.3 and picture["svg"][3] > 100, f"{where}: {kind} is {picture['svg']}")
        expect(len(picture["lines"]) == len(chart["lines"]) == picture["legend"], f"{where}: {kind}: lines and legend")
        expect(len({line["stroke"] for line in picture["lines"]}) == len(picture["lines"]), f"{where}: {kind}: two lines look alike")
        for line, seen in zip(chart["lines"], picture["lines"]):
            expect(seen["thick"] >= 1 and seen["stroke"] != "none" and seen["box"][2] > width * 0.3, f"{where}: {kind}: {seen}")
            points = [float(p.split(",")[1]) for p in seen["points"].split()]
            expect(len(points) == 2 * len(line["points"]), f"{where}: {kind}: {len(points)} points")
            for n, y in zip(line["points"], points[::2]):
                expect(abs((100 - y) * highest / 100 - n) <= 1e-4 * highest, f"{where}: {kind}, {line['name']}: {n} is drawn at {y}")
            if (kind, line["name"]) in series:
                part, name, scale = series[kind, line["name"]]
                total = sum(frame[part].get(name, 0) for frame in frames)
                expect(line["total"] == total, f"{where}: {kind}, {line['name']}: {line['total']}, in the log {total}")
                mean = sum(n * k for n, k in zip(line["points"], chart["frames"]))
                expect(abs(mean - total * scale) <= 1e-6 * max(total * scale, 1), f"{where}: {kind}, {line['name']}: points add up to {mean}")


def page(tree, scratch):
    if not browser.find():
        print("skipped: there is no Chromium (tools/setup installs chromium-headless-shell)")
        sys.exit(77)
    log = write_log(tree, scratch, Path(scratch) / "log.jsonl", "reduction", ON)
    before = write_log(tree, scratch, Path(scratch) / "before.jsonl", "reduction", OBSERVE)
    html = Path(scratch) / "page.html"
    report(tree, scratch, log, "--against", before, "--html", html)
    chromium = browser.Browser(Path(scratch) / "profile")
    try:
        for width, height in ((390, 844), (1280, 800)):
            chromium.open(html.as_uri(), width, height)
            check_page(chromium.evaluate(SHOWN), log, width)
            expect(chromium.complaints() == [], f"{width}: the console says {chromium.complaints()}")
            expect([url for url in chromium.requests() if url.split(":")[0] != "data"] == [html.as_uri()], f"{width}: asked for {chromium.requests()}")
        # A page that does what ours must not is noticed, or the checks say nothing.
        bad = Path(scratch) / "bad.html"
        bad.write_text("<img src='http://127.0.0.1:9/x.png'><script>console.error('x')</script>")
        chromium.open(bad.as_uri(), 390, 844)
        expect(chromium.complaints() and len(chromium.requests()) > 1, f"not noticed: {chromium.events}")
    finally:
        chromium.close()


def test(tree, arguments):
    with tempfile.TemporaryDirectory() as scratch:
        {"text": text, "predictions": predictions, "page": page}[arguments[0]](tree, scratch)


main(test)
