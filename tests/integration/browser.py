# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium, spoken to over a pair of pipes: what a page looks like at a width, and what it asks of the network."""
import json
import os
import shutil
import subprocess

from harness import Failure, expect

PROGRAMS = ("chromium-headless-shell", "chromium", "google-chrome")
LIMIT_S = 60


def find():
    """The browser's path; None where there is none."""
    return next((path for path in map(shutil.which, PROGRAMS) if path), None)


class Browser:
    """One page of a browser of its own. Messages are JSON texts that end with a zero byte (--remote-debugging-pipe)."""

    def __init__(self, folder):
        down_read, self.down = os.pipe()
        self.up, up_write = os.pipe()

        def as_3_and_4():
            # The browser reads from 3 and writes to 4, whatever the numbers were.
            reading, writing = os.dup(down_read), os.dup(up_write)
            os.dup2(reading, 3)
            os.dup2(writing, 4)

        # Root may not use the browser's sandbox, and what is shown is our own page.
        self.process = subprocess.Popen(
            [find(), "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run", "--hide-scrollbars",
             f"--user-data-dir={folder}", "about:blank"], close_fds=False, preexec_fn=as_3_and_4,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(down_read)
        os.close(up_write)
        self.reader = os.fdopen(self.up, "rb", buffering=0)
        self.rest = b""
        self.number = 0
        self.events = []
        self.session = None
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def _receive(self):
        while b"\0" not in self.rest:
            more = self.reader.read(1 << 16)
            if not more:
                raise Failure(f"the browser ended with {self.process.wait(LIMIT_S)}")
            self.rest += more
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.down, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self.number:
                expect("error" not in answer, f"{method}: {answer.get('error')}")
                return answer["result"]
            self.events.append(answer)

    def open(self, url, width, height):
        """Shows a page as on a screen of that size; its events so far are forgotten."""
        self.events.clear()
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Page.navigate", url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._receive())

    def evaluate(self, expression):
        done = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        expect("exceptionDetails" not in done, f"{expression[:80]}: {done.get('exceptionDetails')}")
        return done["result"].get("value")

    def complaints(self):
        """What was told on the console, or thrown."""
        return [event for event in self.events if event["method"] in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")]

    def requests(self):
        return [event["params"]["request"]["url"] for event in self.events if event["method"] == "Network.requestWillBeSent"]

    def close(self):
        self.session = None
        try:
            self.call("Browser.close")
        finally:
            os.close(self.down)
            self.reader.close()
            try:
                self.process.wait(LIMIT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
