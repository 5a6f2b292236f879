#!/usr/bin/env python3
"""gtrace export --to chrome in the viewer of chrome://tracing: its own importer, of which Go has a copy for
go tool trace, in a headless Chromium. It must have nothing to warn of, and bind each arrow to the two
slices that it leads from and to.

    catapult.py GTRACE TRACE_TEXT...
"""

import http.server
import json
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile
import threading

SKIP = 77
PAGE = """<script src="webcomponents.min.js"></script>
<link rel="import" href="trace_viewer_full.html">
<script>
async function view() {
	const done = {};
	try {
		const model = new tr.Model();
		new tr.importer.Import(model).importTraces([await (await fetch('trace.json')).text()]);
		done.warnings = model.importWarnings.map(w => w.message);
		done.arrows = model.flowEvents.map(
			f => [f.startSlice && f.startSlice.title, f.endSlice && f.endSlice.title]);
		done.rows = {};
		for (const process of Object.values(model.processes)) {
			for (const thread of Object.values(process.threads)) {
				done.rows[thread.name] = thread.sliceGroup.length;
			}
		}
	} catch (e) {
		done.error = String(e);
	}
	await fetch('said', {method: 'POST', body: JSON.stringify(done)});
}
const loading = setInterval(() => {
	if (window.tr && tr.importer && tr.importer.Import && tr.e && tr.e.importer) {
		clearInterval(loading);
		view();
	}
}, 100);
</script>
"""


def skip(why):
    print(f"SKIP: {why}")
    sys.exit(SKIP)


def view(chromium, folder, trace):
    """What the importer makes of it."""
    (folder / "trace.json").write_bytes(trace)
    said = queue.Queue()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def do_POST(self):
            said.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, \
            open(folder / "log", "w+", encoding="utf-8") as log:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = subprocess.Popen(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--remote-debugging-port=0", f"--user-data-dir={folder}/profile",
             f"http://127.0.0.1:{server.server_port}/index.html"], stdout=log, stderr=log)
        try:
            return json.loads(said.get(timeout=240))
        except queue.Empty:
            log.seek(0)
            sys.exit(f"no answer of {chromium}: {log.read()[-2000:]}")
        finally:
            browser.terminate()
            browser.wait()
            server.shutdown()


def main():
    gtrace, *texts = sys.argv[1:]
    chromium = shutil.which("chromium") or shutil.which("google-chrome") or skip("no chromium")
    go = shutil.which("go") or skip("no go")
    root = subprocess.run([go, "env", "GOROOT"], capture_output=True, text=True, check=True).stdout
    static = pathlib.Path(root.strip(), "src/internal/trace/traceviewer/static")
    if not (static / "trace_viewer_full.html").exists():
        skip(f"no viewer in {static}")
    arrows = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = pathlib.Path(name)
        for file in ("trace_viewer_full.html", "webcomponents.min.js"):
            shutil.copy(static / file, folder)
        (folder / "index.html").write_text(PAGE, encoding="utf-8")
        for text in texts:
            trace, out = folder / "x.trace", folder / "x.json"
            subprocess.run([gtrace, "assemble", text, "-o", trace], check=True)
            subprocess.run([gtrace, "export", "--to", "chrome", "-o", out, trace], check=True)
            events = json.loads(out.read_bytes())["traceEvents"]
            begun = [e["name"] for e in events if "flow_out" in e]
            done = view(chromium, folder, out.read_bytes())
            assert done.get("warnings") == [], done
            assert len(done["arrows"]) == len(begun), (done, begun)
            assert all(a == "wake" and b in ("runnable", "running") for a, b in done["arrows"]), done
            assert sum(done["rows"].values()) == sum(e["ph"] in "Xi" for e in events), done
            arrows += len(begun)
    assert arrows > 0


if __name__ == "__main__":
    main()
