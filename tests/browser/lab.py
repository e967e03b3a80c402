"""JupyterLab and other notebook applications in a browser, for the browser tests and benchmarks/speed/widget.py"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
SERVER = """--no-browser --ip=127.0.0.1 --ServerApp.token= --ServerApp.password= --ServerApp.port_retries=0 --allow-root
    --LabApp.news_url= --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate
    --LabApp.extension_manager=readonly --LabApp.expose_app_in_browser=True
    --JupyterNotebookApp.expose_app_in_browser=True"""
CHROMIUM = """--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync"""


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.contextmanager
def running(command, folder, address, environment=None, wait=180):
    "Start a server and yield its address; stop it with all its kernels at the end"
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | (environment or {}) | {"PYTHONPATH": path}
    with (folder / ".log").open("w") as log:
        options = {"env": environment, "stdout": log, "stderr": log, "start_new_session": True}
        server = subprocess.Popen([sys.executable, "-m", *command], cwd=folder, **options)
        try:
            wait_for_server(address, server, wait, folder / ".log")
            yield address
        finally:
            stop(server)


def marimo(app):
    "Run a marimo application"
    port = free_port()
    command = ["marimo", "-q", "run", str(app), "--headless", "--no-token", "--host=127.0.0.1", f"--port={port}"]
    return running(command, app.parent, f"http://127.0.0.1:{port}")


def voila(path):
    "Run a notebook as an application of Voila"
    port = free_port()
    command = ["voila", str(path), "--no-browser", "--Voila.ip=127.0.0.1", f"--port={port}"]
    return running(command, path.parent, f"http://127.0.0.1:{port}", jupyter_folders(path.parent))


def jupyter_folders(folder):
    "Keep the user's configuration of Jupyter out"
    return {f"JUPYTER_{name}_DIR": str(folder / f".{name.lower()}") for name in ("CONFIG", "DATA", "RUNTIME")}


def jupyterlab(folder):
    "Start JupyterLab on a folder; the server shows Notebook 7 too, where it is installed"
    port = free_port()
    news = folder / ".config/lab/user-settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    news.parent.mkdir(parents=True)
    news.write_text('{"fetchNews": "false"}')
    command = ["jupyterlab", f"--port={port}", f"--ServerApp.root_dir={folder}", *SERVER.split()]
    return running(command, folder, f"http://127.0.0.1:{port}", jupyter_folders(folder))


def wait_for_server(address, server, wait, log):
    end = time.monotonic() + wait
    while time.monotonic() < end and server.poll() is None:
        try:
            return urllib.request.urlopen(f"{address}/nothing", timeout=5).read()
        except urllib.error.HTTPError:  # an answer too; the first page would run a notebook
            return None
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the server did not start:\n{log.read_text()[-2000:]}")


def stop(server):
    "Stop the server with its kernels, then its whole session by process id"
    server.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(15)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


@contextlib.contextmanager
def chromium():
    "Open a headless browser"
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        raise RuntimeError("no chromium: install it (Debian: apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM.split())
        try:
            yield browser
        finally:
            browser.close()


def notebook(path, *cells):
    "Write a notebook of code cells"
    empty = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    cells = [{**empty, "id": f"cell{i}", "source": source} for i, source in enumerate(cells)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "python3", "language": "python"}}
    path.write_text(json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))
    return path


class Lab:
    "A notebook that is open in JupyterLab or Notebook 7"

    def __init__(self, browser, address, path, width=1280, height=1150, wait=180, app="lab/tree"):
        self.page = browser.new_page(viewport={"width": width, "height": height})
        self.page.set_default_timeout(wait * 1000)
        self.errors = []
        self.page.on("pageerror", lambda error: self.errors.append(f"{error}\n{error.stack}"))
        self.page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        self.page.goto(f"{address}/{app}/{path.name}?reset")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        self.page.evaluate("async () => { await jupyterapp.restored; jupyterapp.shell.collapseLeft?.() }")
        self.until("jupyterapp.shell.currentWidget.sessionContext?.session?.kernel?.status === 'idle'")

    def until(self, condition):
        "Wait until a JavaScript expression holds"
        self.page.wait_for_function(f"() => {condition}")

    def command(self, name, **options):
        execute = "([name, options]) => { jupyterapp.commands.execute(name, options) }"
        return self.page.evaluate(execute, [name, options])

    def run_all(self):
        self.command("notebook:run-all-cells")

    def restart_kernel(self):
        "Restart the kernel without a dialog"
        self.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
        self.until("jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'")

    def use_kernel_of(self, other):
        "Run the cells in the kernel of another notebook, whose imports and variables exist"
        kernel = other.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.id")
        change = "id => jupyterapp.shell.currentWidget.sessionContext.changeKernel({ id }).then(() => null)"
        self.page.evaluate(change, kernel)
        self.until(f"jupyterapp.shell.currentWidget.sessionContext.session.kernel.id === '{kernel}'")

    def theme(self, name):
        self.command("apputils:change-theme", theme=THEMES[name])
        self.until(f"document.body.dataset.jpThemeName === '{THEMES[name]}'")

    def close(self):
        self.page.close()
