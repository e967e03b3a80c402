// Browser part of LabelCleaner: draws the state of the Python widget and sends the user's actions to it.
//
// From Python: `config` (vocabulary, filter values), `cards` (faces of the page), `sheet` (their pixels, one block of
// bytes) and `state` (page, filters, decisions, progress, counts, response to the last message).
// To Python: {do, with, view, seq}. A decision is shown as saving until the response arrives.
// Text from data is inserted as text, never as HTML.

const DECISIONS = {
  keep: ["✓", "kept"],
  relabel: ["→", "relabeled"],
  discard: ["✕", "discarded"],
  unsure: ["?", "unsure"],
};
const FILTERS = {
  kind: "all issues",
  label: "all labels",
  suggestion: "all suggestions",
  split: "all splits",
  decided: "decided or not",
};
const ANSWER_WITHIN = 4000; // ms without an answer before a message is shown
const PAGE_WITHIN = 2000; // ms; keys that waited longer for a page are ignored
const SILENT =
  "Waiting for the kernel: the last action is not saved yet. If the kernel was restarted, run the cell again.";
const DETAILS_AFTER = 120; // ms that the cursor rests on a face before its neighbors are requested
const HELP = [
  ["← → ↑ ↓", "move; with Shift, select"],
  ["Home, End", "first or last face of the page"],
  ["Space", "select or unselect the face"],
  ["Ctrl A, Esc", "select all faces, clear the selection"],
  ["1 to 9, 0", "label the face, or all selected faces"],
  ["Enter", "accept the suggestion"],
  ["K", "keep the label"],
  ["X", "discard: not a usable face"],
  ["U", "unsure"],
  ["Z, Shift Z", "undo, redo"],
  ["N, P", "next page, previous page"],
  ["/", "search by face id"],
  ["?", "this help"],
];

const KEYS = {
  k: "keep", x: "discard", u: "unsure", enter: "accept", n: "next", p: "previous", pagedown: "next",
  pageup: "previous", "?": "help", "/": "search", " ": "toggle", escape: "none",
};

function make(tag, className = "", ...children) {
  const node = document.createElement(tag);
  node.className = className;
  if (tag === "button") node.type = "button";
  node.append(...children.filter((child) => child !== null));
  return node;
}

function button(className, title, action, ...children) {
  const node = make("button", className, ...children);
  node.title = title;
  node.addEventListener("click", action);
  return node;
}

const key = (name) => make("kbd", "", name);
const digit = (index) => (index < 9 ? String(index + 1) : index === 9 ? "0" : "");
const number = (n) => n.toLocaleString("en");

function percent(p) {
  if (p === null || p === undefined) return "";
  return p > 0 && p < 0.01 ? "<1%" : `${Math.round(100 * p)}%`;
}

// Describe a decision: "kept", or for a relabel the new label after `prefix`
function decisionText(decision, label, prefix = "") {
  if (decision === null) return "undecided";
  return decision === "relabel" ? `${prefix}${label}` : DECISIONS[decision][1];
}

const canvas = document.createElement("canvas");

// Show one face of a block of bytes (n, height, width[, 3]). All faces share one canvas: many slow down every frame
function paint(img, data, shape, index) {
  const [, height, width, channels = 1] = shape;
  const size = height * width * channels;
  const bytes = new Uint8Array(data.buffer, data.byteOffset + index * size, size);
  const image = new ImageData(width, height);
  for (let from = 0, to = 0; from < size; from += channels, to += 4) {
    image.data[to] = bytes[from];
    image.data[to + 1] = bytes[from + (channels > 1 ? 1 : 0)];
    image.data[to + 2] = bytes[from + (channels > 1 ? 2 : 0)];
    image.data[to + 3] = 255;
  }
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d", { willReadFrequently: true }).putImageData(image, 0, 0);
  return Object.assign(img, { src: canvas.toDataURL(), decoding: "sync", alt: "", draggable: false });
}

class Cleaner {
  constructor(model, el) {
    this.model = model;
    this.view = Math.random().toString(36).slice(2, 10);
    this.seq = 0;
    this.unanswered = new Map(); // seq -> {do, with}
    this.pending = 0; // seq of the page turn, filter or undo that keys wait for
    this.queue = []; // actions of keys pressed meanwhile
    this.filters = null; // requested, without an answer yet
    this.selected = new Set(); // indexes on the page
    this.cursor = this.anchor = 0;
    this.build(el);
    this.handlers = {
      "change:cards": () => this.draw(),
      "change:state": () => this.draw(),
      "msg:custom": (message, buffers) => this.drawDetails(message, buffers),
    };
    for (const [event, action] of Object.entries(this.handlers)) model.on(event, action);
    this.draw();
  }

  close() {
    for (const [event, action] of Object.entries(this.handlers)) this.model.off(event, action);
    clearTimeout(this.detailsTimer);
    clearTimeout(this.silenceTimer);
    clearTimeout(this.typing);
  }

  get state() { return this.model.get("state"); }
  get config() { return this.model.get("config"); }
  get faces() { return this.model.get("cards").faces; }
  get cards() { return [...this.grid.querySelectorAll(".fer-card")]; }

  // ---- layout -----------------------------------------------------------------------------------------------------

  build(el) {
    const root = (this.root = make("div", "fer-cleaner"));
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", "Label cleaner");
    root.dataset.lmSuppressShortcuts = "true"; // turns off JupyterLab's shortcuts while the focus is inside
    root.addEventListener("keydown", (event) => this.onKey(event));
    this.grid = make("div", "fer-grid");
    this.grid.setAttribute("role", "listbox");
    this.grid.setAttribute("aria-multiselectable", "true");
    this.grid.setAttribute("aria-label", "Faces");
    this.grid.addEventListener("click", (event) => this.onClick(event));
    this.grid.addEventListener("dblclick", (event) => event.target.closest(".fer-card") && this.run("accept"));
    this.error = make("div", "fer-error");
    this.error.setAttribute("role", "alert");
    this.error.hidden = true;
    this.status = make("div", "fer-status");
    this.status.setAttribute("role", "status");
    this.status.setAttribute("aria-live", "polite");
    const left = make("div", "fer-left", this.grid, this.buildPager());
    const main = make("div", "fer-main", left, this.buildDetail());
    root.append(this.buildBar(), this.buildFilters(), this.error, main, this.buildHelp());
    el.append(root);
  }

  buildBar() {
    this.fill = make("span", "fer-fill");
    this.progress = make("div", "fer-progress", this.fill);
    this.progress.setAttribute("role", "progressbar");
    this.progress.setAttribute("aria-label", "Decided");
    this.done = make("span", "fer-done");
    const step = (name, title, ...words) => button("fer-button", title, () => this.run(name), ...words);
    const undo = step("undo", "Undo the last decision", "Undo ", key("Z"));
    const redo = step("redo", "Restore the decision that was undone last", "Redo ", key("⇧Z"));
    const help = step("help", "Show all keys", "Keys ", key("?"));
    return make("div", "fer-bar", this.progress, this.done, this.status, undo, redo, help);
  }

  buildFilters() {
    const { values, decided, all, issues, listed, faces } = this.config;
    const lists = { ...values, decided: decided.map((name) => [name, null]) };
    if (issues) lists.kind = [...lists.kind, [all, faces]];
    this.selects = {};
    const row = make("div", "fer-filters");
    row.setAttribute("role", "search");
    for (const [name, any] of Object.entries(FILTERS)) {
      const select = (this.selects[name] = make("select", "fer-select"));
      const first = name === "kind" && issues ? `${any} · ${number(listed)}` : any;
      for (const [value, count] of [["", null], ...lists[name]]) {
        const option = make("option", "", value ? (count === null ? value : `${value} · ${number(count)}`) : first);
        option.value = value;
        select.append(option);
      }
      select.setAttribute("aria-label", `Filter by ${name}`);
      select.title = `Filter by ${name}`;
      select.hidden = lists[name].length === 0;
      select.addEventListener("change", () => this.filter({ [name]: select.value }));
      row.append(select);
    }
    this.search = make("input", "fer-search");
    Object.assign(this.search, { type: "search", placeholder: "search ids  /", spellcheck: false });
    this.search.setAttribute("aria-label", "Search by face id");
    this.search.addEventListener("input", () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.filter({ search: this.search.value }), 250);
    });
    this.clear = button("fer-button", "Remove all filters", () => this.filter(null), "Clear");
    row.append(this.search, this.clear);
    return row;
  }

  buildPager() {
    const turn = (name, title, ...words) => button("fer-button", title, () => this.run(name), ...words);
    this.previous = turn("previous", "Previous page", key("P"), " ‹");
    this.next = turn("next", "Next page", "› ", key("N"));
    this.pageBox = make("input", "fer-page");
    Object.assign(this.pageBox, { type: "number", min: 1 });
    this.pageBox.setAttribute("aria-label", "Page");
    this.pageBox.addEventListener("change", () => this.turn(Number(this.pageBox.value) || 1));
    this.of = make("span", "fer-of");
    return make("div", "fer-pager", this.previous, this.pageBox, this.of, this.next);
  }

  buildDetail() {
    this.large = make("img", "fer-large");
    this.summary = make("div", "fer-summary");
    this.emotions = this.config.vocab.map((name, index) => this.buildEmotion(name, index));
    const titles = [["", ""], ["", "label as"], ["", ""], ["", "model"], ["fer-votes", "votes"], ["", "faces"]];
    const head = make("div", "fer-emotion fer-head", ...titles.map(([name, title]) => make("span", name, title)));
    head.setAttribute("aria-hidden", "true");
    const decide = (name, title, text, letter) =>
      button(`fer-button fer-do-${name}`, title, () => this.run(name), text, key(letter));
    this.accept = decide("accept", "Relabel with the suggestion", "Accept ", "↵");
    const keep = decide("keep", "The label is correct", "Keep ", "K");
    const discard = decide("discard", "Not a usable face", "Discard ", "X");
    const unsure = decide("unsure", "The label is unclear", "Unsure ", "U");
    const actions = make("div", "fer-actions", this.accept, keep, discard, unsure);
    this.also = make("div", "fer-also");
    this.details = make("div", "fer-details");
    const top = make("div", "fer-top", this.large, this.summary);
    const emotions = make("div", "fer-emotions", head, ...this.emotions);
    const pane = make("aside", "fer-detail", top, emotions, this.also, actions, this.details);
    pane.setAttribute("aria-label", "Current face");
    return pane;
  }

  buildEmotion(name, index) {
    const track = make("span", "fer-track", make("span", "fer-fill"));
    const numbers = ["fer-p", "fer-votes", "fer-count"].map((className) => make("span", className));
    const cells = [key(digit(index)), make("span", "fer-name", name), track, ...numbers];
    return button("fer-emotion", `Label as ${name}`, () => this.run("label", name), ...cells);
  }

  buildHelp() {
    const rows = HELP.map(([keys, what]) => make("div", "fer-help-row", key(keys), make("span", "", what)));
    const mouse = "Click, Ctrl-click and Shift-click select faces; a double click accepts the suggestion.";
    const note = make("p", "", `${mouse} Decisions are saved in the log before they are shown.`);
    const close = button("fer-button", "Close", () => this.run("help"), "Close ", key("Esc"));
    this.help = make("div", "fer-help", make("div", "fer-help-box", make("strong", "", "Keys"), ...rows, note, close));
    this.help.setAttribute("role", "dialog");
    this.help.setAttribute("aria-modal", "true");
    this.help.setAttribute("aria-label", "Keys");
    this.help.hidden = true;
    return this.help;
  }

  // ---- drawing ----------------------------------------------------------------------------------------------------

  // Cards and state arrive together, but their events fire in any order: a new page is drawn before its state
  draw() {
    if (this.page !== this.model.get("cards")) {
      this.page = this.model.get("cards");
      this.drawPage();
    }
    this.drawState();
  }

  drawPage() {
    const hadFocus = this.grid.contains(this.root.getRootNode().activeElement);
    this.selected.clear();
    this.cursor = this.anchor = 0;
    const { shape } = this.model.get("cards");
    const sheet = this.model.get("sheet");
    const image = (index) => paint(make("img", "fer-face"), sheet, shape, index);
    this.grid.replaceChildren(...this.faces.map((face, index) => this.buildCard(face, index, image(index))));
    if (!this.faces.length) this.grid.append(this.emptyMessage());
    const hasIssue = (face) => face.p || face.suggestion !== null || face.kind || face.reason || face.problem;
    this.grid.classList.toggle("fer-bare", !this.faces.some(hasIssue));
    this.grid.scrollTop = 0;
    this.drawMarks();
    this.moveTo(Math.max(0, this.state.marks.indexOf(null)), { focus: hadFocus, scroll: false });
  }

  buildCard(face, index, img) {
    const at = (name) => (face.p && name !== null ? face.p[this.config.vocab.indexOf(name)] : undefined);
    const own = at(face.label), other = at(face.suggestion);
    const line = (className, name, p) =>
      make("div", className, make("span", "fer-name", name), make("span", "fer-p", percent(p)));
    const suggested = face.suggestion !== null
      ? line("fer-suggestion", `→ ${face.suggestion}`, other)
      : line("fer-suggestion fer-kind", face.kind ?? "");
    const bar = make("div", "fer-two", make("span", "fer-own"), make("span", "fer-other"));
    bar.children[0].style.width = `${100 * (own ?? 0)}%`;
    bar.children[1].style.width = `${100 * (face.suggestion === face.label ? 0 : other ?? 0)}%`;
    bar.style.visibility = face.p ? "" : "hidden";
    const frame = make("div", "fer-image", img, make("span", "fer-mark"));
    const label = line("fer-label", face.label ?? "no label", own);
    const reason = make("div", "fer-reason", face.problem ?? face.reason);
    const card = make("div", "fer-card", frame, label, suggested, bar, reason);
    card.setAttribute("role", "option");
    card.title = `${face.id}\n${face.problem ?? face.reason}`;
    card.tabIndex = -1;
    card.dataset.index = index;
    card.dataset.id = face.id;
    return card;
  }

  emptyMessage() {
    const { issues, listed } = this.config;
    const filtered = Object.values(this.state.filters).some(Boolean);
    const empty = issues && !listed ? "No issues to review." : "No faces.";
    const text = make("p", "", filtered ? "No face matches these filters." : empty);
    const [title, filters] = filtered ? ["Clear the filters", null] : ["Show all faces", { kind: this.config.all }];
    return make("div", "fer-nothing", text, button("fer-button", title, () => this.filter(filters), title));
  }

  drawState() {
    const { page, pages, shown, filters, decided, total, counts, answer } = this.state;
    this.fill.style.width = `${total ? (100 * decided) / total : 0}%`;
    const values = { valuenow: decided, valuemin: 0, valuemax: total };
    for (const [name, value] of Object.entries(values)) this.progress.setAttribute(`aria-${name}`, value);
    this.done.textContent = `${number(decided)} of ${number(total)} decided`;
    this.pageBox.value = page;
    this.pageBox.max = pages;
    this.of.textContent = `of ${number(pages)} · ${number(shown)} ${shown === 1 ? "face" : "faces"}`;
    this.previous.disabled = page <= 1;
    this.next.disabled = page >= pages;
    for (const [name, select] of Object.entries(this.selects)) select.value = filters[name];
    if (this.root.getRootNode().activeElement !== this.search) this.search.value = filters.search;
    this.clear.disabled = !Object.values(filters).some(Boolean);
    this.emotions.forEach((row, index) => (row.querySelector(".fer-count").textContent = number(counts[index])));
    if (answer.view === this.view) this.receive(answer);
    this.drawMarks();
    this.drawDetail();
  }

  drawMarks() {
    const decides = [...this.unanswered.values()].filter((sent) => sent.do === "decide");
    const saving = new Set(decides.flatMap((sent) => sent.with.ids));
    const marks = this.state.marks;
    this.cards.forEach((card, index) => {
      const face = this.faces[index];
      const [decision, label] = marks[index] ?? [null, null];
      const now = JSON.stringify([decision, label, saving.has(face.id), this.selected.has(index)]);
      if (card.now === now) return; // most cards stay as they are
      card.now = now;
      card.dataset.decision = decision ?? "";
      card.classList.toggle("fer-saving", saving.has(face.id));
      card.setAttribute("aria-selected", this.selected.has(index));
      const mark = decision === null ? "" : `${DECISIONS[decision][0]} ${decisionText(decision, label)}`;
      card.querySelector(".fer-mark").textContent = mark;
      card.setAttribute("aria-label", this.description(face, index, decision, label));
    });
  }

  description(face, index, decision, label) {
    const p = face.p && face.suggestion !== null ? face.p[this.config.vocab.indexOf(face.suggestion)] : null;
    const suggestion = face.suggestion !== null ? `suggested ${face.suggestion} ${percent(p)}`.trim() : face.kind;
    const position = (this.state.page - 1) * this.state.page_size + index + 1;
    const words = [
      face.label ?? "no label",
      suggestion,
      decisionText(decision, label, "relabeled "),
      face.problem ?? face.reason,
      face.id,
      `${number(position)} of ${number(this.state.shown)}`,
    ];
    return words.filter(Boolean).join(", ");
  }

  drawDetail() {
    const face = this.faces[this.cursor];
    const { shape } = this.model.get("cards");
    this.large.hidden = this.accept.parentElement.hidden = !face;
    if (this.drawn !== face) this.details.replaceChildren();
    if (face && this.drawn !== face) paint(this.large, this.model.get("sheet"), shape, this.cursor);
    this.emotions.forEach((row, index) => this.drawEmotion(row, this.config.vocab[index], index, face));
    const many = this.targets().length;
    const now = face && JSON.stringify([face.id, this.state.page, this.state.marks[this.cursor], many]);
    if (this.summary.now !== now || !face) {
      this.summary.replaceChildren();
      this.also.textContent = "";
    }
    if (face && this.summary.now !== now) {
      const [decision, label] = this.state.marks[this.cursor] ?? [null, null];
      const mark = make("span", "fer-chip", decisionText(decision, label, "relabeled "));
      mark.dataset.decision = decision ?? "";
      const suggestion = face.suggestion !== null ? `→ ${face.suggestion}` : face.kind ?? "";
      this.summary.append(
        make("div", "fer-id", face.id),
        make("div", "fer-was", face.label ?? "no label"),
        make("div", "fer-suggestion", suggestion),
        make("div", "fer-why", face.problem ?? face.reason),
        mark,
        many > 1 ? make("div", "fer-many", `${many} faces selected`) : make("div", "fer-split", face.split),
      );
      const others = Object.entries(face.votes ?? {}).filter(([name]) => !this.config.vocab.includes(name));
      const votes = others.map(([name, n]) => `${name.replaceAll("_", " ")} ${n}`).join(", ");
      if (votes) this.also.textContent = `other votes: ${votes}`;
      this.accept.disabled = face.suggestion === null;
      clearTimeout(this.detailsTimer);
      this.detailsTimer = setTimeout(() => this.send("details", { face_id: face.id }), DETAILS_AFTER);
    }
    this.summary.now = now;
    this.drawn = face;
  }

  drawEmotion(row, name, index, face) {
    const p = face?.p?.[index];
    row.classList.toggle("fer-given", face?.label === name);
    row.classList.toggle("fer-proposed", face?.suggestion === name);
    row.querySelector(".fer-fill").style.width = `${100 * (p ?? 0)}%`;
    row.querySelector(".fer-p").textContent = percent(p);
    row.querySelector(".fer-votes").textContent = face?.votes ? face.votes[name] ?? 0 : "";
    row.parentElement?.classList.toggle("fer-has-votes", Boolean(face?.votes));
    const words = [`Label as ${name}`];
    if (p !== undefined) words.push(`model ${percent(p)}`);
    if (face?.votes) words.push(`${face.votes[name] ?? 0} votes`);
    row.setAttribute("aria-label", [...words, `${this.state.counts[index]} faces`].join(", "));
  }

  // Neighbors, history and the large image of the current face
  drawDetails(message, buffers) {
    if (message.face !== this.faces[this.cursor]?.id) return;
    if (message.large) paint(this.large, buffers[1], [1, ...message.large], 0);
    this.details.replaceChildren();
    if (message.near.length) {
      const near = message.near.map(([id, label, similarity], index) => {
        const image = paint(make("img", "fer-face"), buffers[0], message.shape, index);
        const show = () => this.filter({ ...this.empty(), search: id });
        const title = `${id}\nsimilarity ${similarity}`;
        const node = button("fer-near", title, show, image, make("span", "", label ?? "no label"));
        node.classList.toggle("fer-agrees", label === this.faces[this.cursor].label);
        return node;
      });
      const title = make("div", "fer-title", `nearest faces by ${message.by}`);
      this.details.append(title, make("div", "fer-nears", ...near));
    }
    if (message.history.length) {
      const lines = message.history.slice(-6).reverse().map((line) => make("li", "", line));
      this.details.append(make("div", "fer-title", "history"), make("ul", "fer-history", ...lines));
    }
  }

  announce(text) { this.status.textContent = text; }

  // ---- messages to Python -----------------------------------------------------------------------------------------

  send(what, options) {
    const seq = ++this.seq;
    if (what !== "details") this.unanswered.set(seq, { do: what, with: options, at: performance.now() });
    try {
      this.model.send({ do: what, with: options, view: this.view, seq });
    } catch {
      if (what !== "details") this.showError(SILENT); // the kernel is gone
      return seq;
    }
    if (what !== "details") this.startTimer();
    return seq;
  }

  startTimer() {
    clearTimeout(this.silenceTimer);
    const [oldest] = this.unanswered.values();
    const wait = oldest ? Math.max(0, ANSWER_WITHIN - (performance.now() - oldest.at)) : 0;
    if (oldest) this.silenceTimer = setTimeout(() => this.showError(SILENT), wait);
    else if (this.error.dataset.silence) this.showError("");
  }

  showError(text) {
    this.error.textContent = text;
    this.error.hidden = !text;
    this.error.dataset.silence = text.startsWith("Waiting") ? "yes" : "";
  }

  receive(answer) {
    const sent = this.unanswered.get(answer.seq);
    if (!sent) return;
    this.unanswered.delete(answer.seq);
    this.startTimer();
    const decides = sent.do === "decide";
    if (!answer.ok && decides) this.failed = sent.with.ids;
    else if (decides && this.failed?.some((id) => sent.with.ids.includes(id))) this.failed = null;
    if (!answer.ok) this.showError(decides ? `Not saved: ${answer.text}` : answer.text);
    else if (!this.failed && !this.unanswered.size) this.showError(""); // the error stays until the decision is saved
    this.announce(this.answerText(answer, sent));
    if (answer.ids?.length && sent.do !== "decide") {
      const index = this.faces.findIndex((face) => answer.ids.includes(face.id));
      if (index >= 0) this.moveTo(index, { focus: true });
    }
    if (answer.seq >= this.pending) {
      this.pending = 0;
      this.filters = null;
      if (sent.do === "go") this.focusCard();
      const keys = this.queue.splice(0);
      const elsewhere = answer.ids && !this.faces.some((face) => answer.ids.includes(face.id)); // not on this page
      const fresh = answer.ok && !elsewhere && performance.now() - sent.at < PAGE_WITHIN;
      if (fresh) keys.forEach((action) => this.run(...action));
      else if (keys.length) this.announce("keys pressed before the page was loaded are ignored");
    }
  }

  // Describe an answered message for the status line
  answerText(answer, sent) {
    const faces = (ids) => (ids.length === 1 ? ids[0] : `${number(ids.length)} faces`);
    if (sent.do === "decide") {
      if (!answer.ok) return "not saved";
      const labels = [...new Set([sent.with.label].flat())].join(", ");
      return `${faces(sent.with.ids)}: ${decisionText(sent.with.decision, labels)}`;
    }
    if (!answer.ok) return "";
    if (sent.do === "go") return `page ${this.state.page} of ${this.state.pages}`;
    if (sent.do === "filter") return `${number(this.state.shown)} faces`;
    const done = sent.do === "undo" ? "undone" : "redone";
    return answer.ids.length ? `${done}: ${faces(answer.ids)}` : `nothing to ${sent.do}`;
  }

  // ---- actions of keys and clicks ---------------------------------------------------------------------------------

  empty() { return Object.fromEntries(Object.keys(this.state.filters).map((name) => [name, ""])); }

  filter(changes) {
    clearTimeout(this.typing);
    this.filters = changes === null ? this.empty() : { ...(this.filters ?? this.state.filters), ...changes };
    this.pending = this.send("filter", this.filters);
  }

  turn(page) { this.pending = this.send("go", { page }); }

  // Indexes of the selected faces, or of the current face
  targets() {
    if (this.selected.size) return [...this.selected].sort((a, b) => a - b);
    return this.faces.length ? [this.cursor] : [];
  }

  // Send one decision about the selected faces; one label for all, or one per face
  decide(decision, label = null, indexes = this.targets()) {
    if (!indexes.length) return;
    this.send("decide", { ids: indexes.map((index) => this.faces[index].id), decision, label });
    this.after(indexes);
  }

  acceptSuggestions() {
    const indexes = this.targets().filter((index) => this.faces[index].suggestion !== null);
    if (!indexes.length) return this.announce("no suggestion for this face");
    this.decide("relabel", indexes.map((index) => this.faces[index].suggestion), indexes);
  }

  // Clear the selection and move to the next undecided face
  after(indexes) {
    this.selected.clear();
    const busy = new Set([...this.unanswered.values()].flatMap((sent) => sent.with.ids ?? []));
    const waits = (face, index) => this.state.marks[index] === null && !busy.has(face.id);
    const next = this.faces.findIndex((face, index) => index > indexes.at(-1) && waits(face, index));
    this.drawMarks();
    this.moveTo(next >= 0 ? next : Math.min(indexes.at(-1) + 1, this.faces.length - 1), { focus: true });
  }

  // Run a named action; while a page is loading, queue it
  run(name, ...options) {
    if (this.pending && name !== "help") return this.queue.push([name, ...options]);
    const { page, pages } = this.state;
    const actions = {
      accept: () => this.acceptSuggestions(),
      label: (label) => this.decide("relabel", label),
      undo: () => (this.pending = this.send("undo", {})),
      redo: () => (this.pending = this.send("redo", {})),
      next: () => (page < pages ? this.turn(page + 1) : this.announce("last page")),
      previous: () => (page > 1 ? this.turn(page - 1) : this.announce("first page")),
      move: (step, extend) => this.step(step, extend),
      page: () => this.selectAll(),
      none: () => this.select([]),
      toggle: () => this.toggle(),
      search: () => this.search.focus(),
      help: () => this.toggleHelp(),
    };
    (actions[name] ?? (() => this.decide(name)))(...options);
  }

  toggleHelp() {
    this.help.hidden = !this.help.hidden;
    for (const part of this.help.parentElement.children) {
      if (part !== this.help) part.inert = !this.help.hidden; // keys do not reach the parts behind it
    }
    if (this.help.hidden) this.focusCard();
    else this.help.querySelector("button").focus();
  }

  step(step, extend) {
    const tops = this.cards.map((card) => card.offsetTop);
    const columns = Math.max(1, tops.filter((top) => top === tops[0]).length);
    const last = this.faces.length - 1;
    const offsets = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    const to = step === "Home" ? 0 : step === "End" ? last : this.cursor + offsets[step];
    if (to < 0 || to > last) return;
    this.moveTo(to, { focus: true, extend });
  }

  moveTo(index, { focus = false, extend = false, scroll = true } = {}) {
    const cards = this.cards;
    if (!cards.length) return this.drawDetail();
    cards[this.cursor]?.classList.remove("fer-front");
    if (cards[this.cursor]) cards[this.cursor].tabIndex = -1;
    this.cursor = index;
    cards[index].tabIndex = 0;
    cards[index].classList.add("fer-front");
    if (focus) cards[index].focus({ preventScroll: true });
    if (scroll) cards[index].scrollIntoView({ block: "nearest" });
    if (extend) this.select(this.between(this.anchor, index));
    else this.anchor = index;
    this.drawDetail();
  }

  between(one, other) {
    const [first, last] = [Math.min(one, other), Math.max(one, other)];
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  }

  select(indexes) {
    this.selected = new Set(indexes);
    this.cards.forEach((card, index) => card.setAttribute("aria-selected", this.selected.has(index)));
    this.drawDetail();
    this.announce(indexes.length ? `${indexes.length} selected` : "");
  }

  toggle() {
    const indexes = new Set(this.selected);
    if (!indexes.delete(this.cursor)) indexes.add(this.cursor);
    this.select([...indexes]);
  }

  selectAll() { this.select(this.faces.map((_, index) => index)); }

  focusCard() { this.cards[this.cursor]?.focus({ preventScroll: true }); }

  onClick(event) {
    const card = event.target.closest(".fer-card");
    if (!card) return;
    const index = Number(card.dataset.index);
    if (event.ctrlKey || event.metaKey) {
      if (!this.selected.size && index !== this.cursor) this.selected.add(this.cursor);
      this.moveTo(index, { focus: true });
      this.run("toggle");
    } else {
      if (!event.shiftKey) this.select([]);
      this.moveTo(index, { focus: true, extend: event.shiftKey });
    }
  }

  onKey(event) {
    event.stopPropagation();
    if (event.isComposing || event.altKey) return;
    const typing = event.target.matches("input, select");
    if (event.key === "Escape" && (typing || !this.help.hidden)) {
      if (!this.help.hidden) this.toggleHelp();
      return this.focusCard();
    }
    if (typing || !this.help.hidden && event.key !== "?") return;
    if (event.target.matches("button") && [" ", "Enter"].includes(event.key)) return;
    const action = this.actionOf(event);
    if (!action) return;
    event.preventDefault();
    if (!event.repeat || action[0] === "move") this.run(...action);
  }

  // Return the action of a key: [name, options...], or nothing
  actionOf(event) {
    // Cyrillic, Greek and other layouts: by the position of the key
    const foreign = /^Key[A-Z]$/.test(event.code) && event.key.length === 1 && !/[a-z]/i.test(event.key);
    const letter = foreign ? event.code.at(-1).toLowerCase() : event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) return letter === "a" ? ["page"] : null;
    if (letter === "z") return [event.shiftKey ? "redo" : "undo"];
    if (/^(arrow|home|end)/.test(letter)) return ["move", event.key, event.shiftKey];
    if (KEYS[letter]) return [KEYS[letter]];
    const digits = [event.key, event.code.replace(/^(Digit|Numpad)/, "")].filter((text) => /^[0-9]$/.test(text));
    if (!digits.length) return null;
    const label = this.config.vocab[digits[0] === "0" ? 9 : Number(digits[0]) - 1];
    return label === undefined ? null : ["label", label];
  }
}

function render({ model, el }) {
  const cleaner = new Cleaner(model, el);
  return () => cleaner.close();
}

export default { render };
