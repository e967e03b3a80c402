"""Page that shows a LabelCleaner of this process without JupyterLab, for quick browser tests"""

import base64

TRAITS = ("config", "cards", "sheet", "state", "guideline_sheet")
PAGE = """<!doctype html><html lang="en"><head><title>LabelCleaner</title></head><body style="margin: 0; padding: 8px">
<main><h1 style="margin: 0 0 6px; font-size: 14px">Faces</h1><div id="widget"></div></main></body></html>"""
MODEL = """async ([esm, css, traits]) => {
    const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0))
    const decode = value => value?.base64 === undefined ? value : new DataView(bytes(value.base64).buffer)
    const data = {}, actions = []
    const apply = ({traits, messages}) => {
        const names = Object.keys(traits)
        for (const name of names) data[name] = decode(traits[name])
        const call = (event, ...values) => actions.filter(one => one[0] === event).forEach(one => one[1](...values))
        for (const name of names) call(`change:${name}`)
        for (const [message, buffers] of messages) call("msg:custom", message, buffers.map(decode))
    }
    const model = {
        get: name => data[name],
        on: (event, action) => actions.push([event, action]),
        off: (event, action) => actions.splice(actions.findIndex(one => one[1] === action), 1),
        send: message => { window.sent.push(message); window.toPython(message).then(apply) },
    }
    window.sent = []
    window.fromPython = apply
    for (const name of Object.keys(traits)) data[name] = decode(traits[name])
    document.head.append(Object.assign(document.createElement("style"), {textContent: css}))
    const url = URL.createObjectURL(new Blob([esm], {type: "text/javascript"}))
    const {default: widget} = await import(url)
    widget.render({model, el: document.querySelector("#widget")})
}"""


def encode(value):
    "Encode bytes for JSON"
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, (bytes, memoryview)) else value


class Host:
    "LabelCleaner of this process in a page of the browser"

    def __init__(self, browser, cleaner, width=1280, height=1000):
        self.cleaner, self.messages, self.changed = cleaner, [], set()
        cleaner.observe(
            lambda change: self.changed.add(change["name"]), [name for name in TRAITS if cleaner.has_trait(name)]
        )
        cleaner.send = lambda message, buffers=None: self.messages.append([message, [encode(b) for b in buffers or []]])
        self.page = browser.new_page(viewport={"width": width, "height": height})
        self.page.set_default_timeout(8000)
        self.errors = []
        self.page.on("pageerror", lambda error: self.errors.append(f"{error}\n{error.stack}"))
        self.page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        self.page.set_content(PAGE)
        self.page.expose_function("toPython", self.receive)
        traits = {name: encode(getattr(cleaner, name)) for name in TRAITS}
        self.page.evaluate(MODEL, [str(cleaner._esm), str(cleaner._css), traits])
        self.page.wait_for_selector(".fer-cleaner")

    def receive(self, message):
        "Call Python with a message of the browser, and return what changed"
        self.cleaner._on_message(None, message)
        return self.changes()

    def changes(self):
        changed, messages = {name: encode(getattr(self.cleaner, name)) for name in self.changed}, self.messages
        self.changed, self.messages = set(), []
        return {"traits": changed, "messages": messages}

    def push(self):
        "Show what Python changed without a message of the browser"
        self.page.evaluate("changes => window.fromPython(changes)", self.changes())

    def close(self):
        self.page.close()
