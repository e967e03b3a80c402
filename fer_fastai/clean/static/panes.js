// Single face with zoom, help, and guidelines

const ZOOMS = [1, 1.5, 2, 3, 4, 6, 8];

// One large face in place of the grid
class Stage {
  constructor(cleaner) {
    this.cleaner = cleaner;
    this.zoom = 1;
    this.image = Object.assign(make("img", "fer-zoomed"), { alt: "", draggable: false });
    this.lens = keepKeys(make("div", "fer-lens", this.image));
    attributes(this.lens, { tabindex: "0", role: "img" });
    this.caption = make("div", "fer-caption");
    this.scale = make("span", "fer-scale");
    const act = (title, text, name, ...options) =>
      attributes(button("fer-button", title, () => cleaner.run(name, ...options), text), { "aria-label": title });
    const controls = [
      act("Previous face", "←", "move", "ArrowLeft"),
      act("Next face", "→", "move", "ArrowRight"),
      act("Zoom out", "−", "smaller"),
      this.scale,
      act("Zoom in", "+", "larger"),
    ];
    const under = make("div", "fer-under", this.caption, make("div", "fer-controls", ...controls));
    this.node = make("div", "fer-stage", this.lens, under);
    this.node.hidden = true;
    this.lens.addEventListener("pointermove", (event) => event.buttons && this.pan(event));
  }

  pan(event) {
    this.lens.scrollLeft -= event.movementX;
    this.lens.scrollTop -= event.movementY;
  }

  show(source) { this.image.src = source; }

  change(step) {
    const at = Math.min(Math.max(ZOOMS.indexOf(this.zoom) + step, 0), ZOOMS.length - 1);
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = this.lens;
    const grows = ZOOMS[at] / this.zoom;
    this.zoom = ZOOMS[at];
    this.drawZoom();
    this.lens.scrollLeft = (scrollLeft + clientWidth / 2) * grows - clientWidth / 2;
    this.lens.scrollTop = (scrollTop + clientHeight / 2) * grows - clientHeight / 2;
    this.cleaner.announce(`zoom ${this.zoom}`);
  }

  drawZoom() {
    this.image.style.width = this.image.style.height = `${100 * this.zoom}%`;
    setText(this.scale, `${this.zoom}×`);
  }

  draw() {
    if (this.node.hidden) return;
    const { cleaner } = this;
    const face = cleaner.faces[cleaner.cursor];
    if (!face) return;
    const { state, cursor } = cleaner;
    const [decision, label] = state.marks[cursor] ?? [null, null];
    const now = JSON.stringify([face.id, state.page, decision, label]);
    if (this.now === now) return;
    this.now = now;
    this.lens.dataset.decision = decision ?? "";
    this.lens.setAttribute("aria-label", cleaner.description(cursor));
    if (this.drawn !== face) this.show(cleaner.detail.large.src);
    this.drawn = face;
    this.drawZoom();
    const name = make("strong", "", face.label ?? "no label");
    const suggestion = make("span", "fer-suggestion", face.suggestion !== null ? ` → ${face.suggestion}` : "");
    const chip = make("span", "fer-chip", decisionText(decision, label, "relabeled "));
    chip.dataset.decision = decision ?? "";
    this.caption.replaceChildren(name, suggestion, " ", chip, make("span", "fer-of", ` ${cleaner.position(cursor)}`));
  }
}

class Help {
  constructor(cleaner) {
    const column = (title, pairs) => {
      const rows = pairs.map(([name, text]) => make("div", "fer-help-row", key(name), make("span", "", text)));
      return make("div", "fer-help-column", make(title ? "h3" : "div", "fer-title", title), ...rows);
    };
    const [classes, commands, moves] = cleaner.keys.help();
    const half = Math.ceil((commands.length + moves.length) / 2);
    const all = [...moves, ...commands];
    const columns = [column("Labels", classes), column("Keys", all.slice(0, half)), column("", all.slice(half))];
    const note = make("p", "", [
      "Click, Ctrl-click, Shift-click or drag to select faces; a double click accepts the suggestion.",
      "A key leaves decided faces as they are: press C or click the face first.",
      "Decisions are saved in the log before they are shown.",
    ].join(" ").replace("press C", `press ${cleaner.keys.nameOf("change")}`));
    const close = button("fer-button", "Close", () => cleaner.run("help"), "Close ", key("Esc"));
    const head = make("div", "fer-head-row", make("h2", "", "Keys"), close);
    const box = make("div", "fer-help-box", head, make("div", "fer-help-columns", ...columns), note);
    this.node = keepKeys(make("div", "fer-help", box));
    attributes(this.node, { role: "dialog", "aria-modal": "true", "aria-label": "Keys" });
    this.node.hidden = true;
  }

  get open() { return !this.node.hidden; }

  // Parts behind the help receive no keys
  toggle() {
    this.node.hidden = this.open;
    for (const part of this.node.parentElement.children) {
      if (part !== this.node) part.inert = this.open;
    }
    if (this.open) this.node.querySelector("button").focus();
  }
}

// Guidelines: a text, and example faces per class; they stay open during the review
class Guide {
  constructor(cleaner) {
    this.cleaner = cleaner;
    this.node = make("section", "fer-guide");
    attributes(this.node, { "aria-label": "Guidelines", tabindex: "0" });
    keepKeys(this.node);
    this.node.hidden = true;
  }

  get known() { return Boolean(this.cleaner.config.guidelines); }

  toggle() {
    if (!this.node.childElementCount) this.build();
    this.node.hidden = !this.node.hidden;
  }

  build() {
    const { text, examples, shape } = this.cleaner.config.guidelines;
    const sheet = this.cleaner.model.get("guideline_sheet");
    const parts = examples.map(({ label, faces, note }) => {
      const pictures = faces.map((index) => picture(sheet, shape, index));
      const words = note ? make("p", "", note) : null;
      return make("div", "fer-example", make("h3", "", label), make("div", "fer-examples", ...pictures), words);
    });
    const letter = key(this.cleaner.keys.nameOf("guide"));
    const close = button("fer-button", "Close the guidelines", () => this.cleaner.run("guide"), "Close ", letter);
    const head = make("div", "fer-head-row", make("h2", "", "Guidelines"), close);
    this.node.append(head, make("p", "fer-guide-text", text ?? ""), make("div", "fer-guide-classes", ...parts));
  }
}
