// The browser's side of LabelCleaner: draws what Python tells, and sends what the person asks.
//
// From Python: `about` (vocabulary, filters), `cards` (the faces of the page), `sheet` (their pixels, one block of bytes)
// and `state` (page, filters, decisions, progress, counts, and the answer to the last message).
// To Python: {do, with, view, seq}. A decision counts once its answer is here: until then its card says that it is being saved.
// Whatever comes from data goes into the page as text, never as HTML.

const DECISIONS = { keep: ["✓", "kept"], relabel: ["→", "relabelled"], discard: ["✕", "discarded"], unsure: ["?", "unsure"] };
const FILTERS = { kind: "every issue", label: "every label", suggestion: "every suggestion", split: "every split", decided: "decided or not" };
const ANSWER_WITHIN = 4000; // ms, before we say that the kernel is silent
const PAGE_WITHIN = 2000; // ms; keys that waited longer for a page are dropped
const SILENT = "Waiting for the kernel: what you asked last is not saved yet. Is a cell running, or was the kernel restarted? Then run the cell again.";
const LOOK_AFTER = 120; // ms that the cursor rests on a face before its neighbours are asked for
const HELP = [
  ["← → ↑ ↓", "move; with Shift, select"], ["Home, End", "first and last face of the page"], ["Space", "select or unselect the face"],
  ["Ctrl A, Esc", "select the page, select nothing"], ["1 to 9, 0", "label the face, or all selected, with that emotion"],
  ["Enter", "accept the suggestion"], ["K", "keep the label"], ["X", "discard: not a usable face"], ["U", "unsure"],
  ["Z, Shift Z", "undo, redo"], ["N, P", "next page, previous page"], ["/", "search by id"], ["?", "this help"],
];

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
const digit = (place) => (place < 9 ? String(place + 1) : place === 9 ? "0" : "");
const percent = (p) => (p === null || p === undefined ? "" : p > 0 && p < 0.01 ? "<1%" : `${Math.round(100 * p)}%`);
const number = (n) => n.toLocaleString("en");

const easel = document.createElement("canvas");

// Show one face of a block of bytes (n, height, width[, 3]). Not on a canvas of its own: dozens of them slow down every frame
function paint(img, data, shape, place) {
  const [, height, width, channels = 1] = shape;
  const size = height * width * channels;
  const bytes = new Uint8Array(data.buffer, data.byteOffset + place * size, size);
  const image = new ImageData(width, height);
  for (let from = 0, to = 0; from < size; from += channels, to += 4) {
    image.data[to] = bytes[from];
    image.data[to + 1] = bytes[from + (channels > 1 ? 1 : 0)];
    image.data[to + 2] = bytes[from + (channels > 1 ? 2 : 0)];
    image.data[to + 3] = 255;
  }
  easel.width = width;
  easel.height = height;
  easel.getContext("2d", { willReadFrequently: true }).putImageData(image, 0, 0);
  return Object.assign(img, { src: easel.toDataURL(), decoding: "sync", alt: "", draggable: false });
}

class Cleaner {
  constructor(model, el) {
    this.model = model;
    this.view = Math.random().toString(36).slice(2, 10);
    this.seq = 0;
    this.unanswered = new Map(); // seq -> {do, with}
    this.turning = 0; // seq of the page turn, filter or undo whose answer keys wait for
    this.waiting = []; // keys pressed meanwhile
    this.filters = null; // asked for and not answered yet
    this.selected = new Set(); // places on the page
    this.cursor = this.anchor = 0;
    this.build(el);
    this.heard = { "change:cards": () => this.draw(), "change:state": () => this.draw(), "msg:custom": (message, buffers) => this.drawLook(message, buffers) };
    for (const [event, action] of Object.entries(this.heard)) model.on(event, action);
    this.draw();
  }

  close() {
    for (const [event, action] of Object.entries(this.heard)) this.model.off(event, action);
    clearTimeout(this.lookTimer);
    clearTimeout(this.silence);
    clearTimeout(this.typing);
  }

  get state() { return this.model.get("state"); }
  get about() { return this.model.get("about"); }
  get faces() { return this.model.get("cards").faces; }
  get cards() { return [...this.grid.querySelectorAll(".fer-card")]; }

  // ---- what stands where ------------------------------------------------------------------------------------------

  build(el) {
    const root = (this.root = make("div", "fer-cleaner"));
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", "Label cleaner");
    root.dataset.lmSuppressShortcuts = "true"; // JupyterLab's own shortcuts stay away while the focus is inside
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
    root.append(this.buildBar(), this.buildFilters(), this.error, make("div", "fer-main", left, this.buildDetail()), this.buildHelp());
    el.append(root);
  }

  buildBar() {
    this.fill = make("span", "fer-fill");
    this.progress = make("div", "fer-progress", this.fill);
    this.progress.setAttribute("role", "progressbar");
    this.progress.setAttribute("aria-label", "Decided");
    this.done = make("span", "fer-done");
    const step = (name, title, ...words) => button("fer-button", title, () => this.run(name), ...words);
    return make("div", "fer-bar", this.progress, this.done, this.status,
      step("undo", "Undo the last decision", "Undo ", key("Z")), step("redo", "Do it again", "Redo ", key("⇧Z")), step("help", "All keys", "Keys ", key("?")));
  }

  buildFilters() {
    const { values, decided, every, issues, listed, faces } = this.about;
    const lists = { ...values, decided: decided.map((name) => [name, null]) };
    if (issues) lists.kind = [...lists.kind, [every, faces]];
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
    Object.assign(this.search, { type: "search", placeholder: "find an id  /", spellcheck: false });
    this.search.setAttribute("aria-label", "Search by face id");
    this.search.addEventListener("input", () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.filter({ search: this.search.value }), 250);
    });
    this.clear = button("fer-button", "Show everything that is to be reviewed", () => this.filter(null), "Clear");
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
    this.words = make("div", "fer-words");
    this.emotions = this.about.vocab.map((name, place) => this.buildEmotion(name, place));
    const head = make("div", "fer-emotion fer-head", make("span"), make("span", "", "label as"), make("span"), make("span", "", "model"), make("span", "fer-votes", "votes"), make("span", "", "faces"));
    head.setAttribute("aria-hidden", "true");
    const decide = (name, title, ...words) => button(`fer-button fer-do-${name}`, title, () => this.run(name), ...words);
    this.accept = decide("accept", "Relabel with the suggestion", "Accept ", key("↵"));
    const actions = make("div", "fer-actions", this.accept, decide("keep", "The label is right", "Keep ", key("K")),
      decide("discard", "Not a usable face", "Discard ", key("X")), decide("unsure", "Can't tell", "Unsure ", key("U")));
    this.also = make("div", "fer-also");
    this.look = make("div", "fer-look");
    const pane = make("aside", "fer-detail", make("div", "fer-top", this.large, this.words), make("div", "fer-emotions", head, ...this.emotions), this.also, actions, this.look);
    pane.setAttribute("aria-label", "The face in front");
    return pane;
  }

  buildEmotion(name, place) {
    return button("fer-emotion", `Label as ${name}`, () => this.run("label", name),
      key(digit(place)), make("span", "fer-name", name), make("span", "fer-track", make("span", "fer-fill")), make("span", "fer-p"), make("span", "fer-votes"), make("span", "fer-count"));
  }

  buildHelp() {
    const rows = HELP.map(([keys, what]) => make("div", "fer-help-row", key(keys), make("span", "", what)));
    this.help = make("div", "fer-help", make("div", "fer-help-box", make("strong", "", "Keys"), ...rows,
      make("p", "", "The mouse does it all too: click, Ctrl-click and Shift-click select, a double click accepts the suggestion. What you decide is in the log before it is shown."),
      button("fer-button", "Close", () => this.run("help"), "Close ", key("Esc"))));
    this.help.setAttribute("role", "dialog");
    this.help.setAttribute("aria-modal", "true");
    this.help.setAttribute("aria-label", "Keys");
    this.help.hidden = true;
    return this.help;
  }

  // ---- drawing ----------------------------------------------------------------------------------------------------

  // Cards and state come together, but are announced in any order: a new page is drawn before its state
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
    this.grid.replaceChildren(...this.faces.map((face, place) => this.buildCard(face, place, paint(make("img", "fer-face"), sheet, shape, place))));
    if (!this.faces.length) this.grid.append(this.nothing());
    this.grid.classList.toggle("fer-bare", !this.faces.some((face) => face.p || face.suggestion !== null || face.kind || face.reason || face.problem));
    this.grid.scrollTop = 0;
    this.drawMarks();
    this.moveTo(Math.max(0, this.state.marks.indexOf(null)), { focus: hadFocus, scroll: false });
  }

  buildCard(face, place, img) {
    const at = (name) => (face.p && name !== null ? face.p[this.about.vocab.indexOf(name)] : undefined);
    const own = at(face.label), other = at(face.suggestion);
    const line = (className, name, p) => make("div", className, make("span", "fer-name", name), make("span", "fer-p", percent(p)));
    const suggested = face.suggestion !== null ? line("fer-suggestion", `→ ${face.suggestion}`, other) : line("fer-suggestion fer-kind", face.kind ?? "");
    const bar = make("div", "fer-two", make("span", "fer-own"), make("span", "fer-other"));
    bar.children[0].style.width = `${100 * (own ?? 0)}%`;
    bar.children[1].style.width = `${100 * (face.suggestion === face.label ? 0 : other ?? 0)}%`;
    bar.style.visibility = face.p ? "" : "hidden";
    const picture = make("div", "fer-picture", img, make("span", "fer-mark"));
    const card = make("div", "fer-card", picture, line("fer-label", face.label ?? "no label", own), suggested, bar, make("div", "fer-reason", face.problem ?? face.reason));
    card.setAttribute("role", "option");
    card.title = `${face.id}\n${face.problem ?? face.reason}`;
    card.tabIndex = -1;
    card.dataset.place = place;
    card.dataset.id = face.id;
    return card;
  }

  nothing() {
    const { issues, listed } = this.about;
    const filtered = Object.values(this.state.filters).some(Boolean);
    const words = filtered ? "No face passes these filters." : issues && !listed ? "No issues: nothing to review." : "No faces.";
    const more = filtered ? ["Clear the filters", null] : ["Show every face", { kind: this.about.every }];
    return make("div", "fer-nothing", make("p", "", words), button("fer-button", more[0], () => this.filter(more[1]), more[0]));
  }

  drawState() {
    const { page, pages, shown, filters, done, total, counts, answer } = this.state;
    this.fill.style.width = `${total ? (100 * done) / total : 0}%`;
    Object.entries({ valuenow: done, valuemin: 0, valuemax: total }).forEach(([name, value]) => this.progress.setAttribute(`aria-${name}`, value));
    this.done.textContent = `${number(done)} of ${number(total)} decided`;
    this.pageBox.value = page;
    this.pageBox.max = pages;
    this.of.textContent = `of ${number(pages)} · ${number(shown)} ${shown === 1 ? "face" : "faces"}`;
    this.previous.disabled = page <= 1;
    this.next.disabled = page >= pages;
    for (const [name, select] of Object.entries(this.selects)) select.value = filters[name];
    if (this.root.getRootNode().activeElement !== this.search) this.search.value = filters.search;
    this.clear.disabled = !Object.values(filters).some(Boolean);
    this.emotions.forEach((row, place) => (row.querySelector(".fer-count").textContent = number(counts[place])));
    if (answer.view === this.view) this.hear(answer);
    this.drawMarks();
    this.drawDetail();
  }

  drawMarks() {
    const saving = new Set([...this.unanswered.values()].flatMap((asked) => (asked.do === "decide" ? asked.with.ids : [])));
    const marks = this.state.marks;
    this.cards.forEach((card, place) => {
      const face = this.faces[place];
      const [decision, label] = marks[place] ?? [null, null];
      const now = JSON.stringify([decision, label, saving.has(face.id), this.selected.has(place)]);
      if (card.now === now) return; // most cards stay as they are
      card.now = now;
      card.dataset.decision = decision ?? "";
      card.classList.toggle("fer-saving", saving.has(face.id));
      card.setAttribute("aria-selected", this.selected.has(place));
      card.querySelector(".fer-mark").textContent = decision === null ? "" : `${DECISIONS[decision][0]} ${decision === "relabel" ? label : DECISIONS[decision][1]}`;
      card.setAttribute("aria-label", this.spoken(face, place, decision, label));
    });
  }

  spoken(face, place, decision, label) {
    const p = face.p && face.suggestion !== null ? ` ${percent(face.p[this.about.vocab.indexOf(face.suggestion)])}` : "";
    const decided = decision === null ? "undecided" : decision === "relabel" ? `relabelled ${label}` : DECISIONS[decision][1];
    const words = [face.label ?? "no label", face.suggestion !== null ? `suggested ${face.suggestion}${p}` : face.kind, decided, face.problem ?? face.reason, face.id,
      `${number((this.state.page - 1) * this.state.page_size + place + 1)} of ${number(this.state.shown)}`];
    return words.filter(Boolean).join(", ");
  }

  drawDetail() {
    const face = this.faces[this.cursor];
    const { shape } = this.model.get("cards");
    this.large.hidden = this.accept.parentElement.hidden = !face;
    if (this.drawn !== face) this.look.replaceChildren();
    if (face && this.drawn !== face) paint(this.large, this.model.get("sheet"), shape, this.cursor);
    this.emotions.forEach((row, place) => this.drawEmotion(row, this.about.vocab[place], place, face));
    const now = face && JSON.stringify([face.id, this.state.page, this.state.marks[this.cursor], this.targets().length]);
    if (this.words.now !== now || !face) {
      this.words.replaceChildren();
      this.also.textContent = "";
    }
    if (face && this.words.now !== now) {
      const [decision, label] = this.state.marks[this.cursor] ?? [null, null];
      const mark = make("span", "fer-chip", decision === null ? "undecided" : `${DECISIONS[decision][1]}${decision === "relabel" ? ` ${label}` : ""}`);
      mark.dataset.decision = decision ?? "";
      const many = this.targets().length;
      this.words.append(make("div", "fer-id", face.id), make("div", "fer-was", face.label ?? "no label"),
        make("div", "fer-suggestion", face.suggestion !== null ? `→ ${face.suggestion}` : face.kind ?? ""), make("div", "fer-why", face.problem ?? face.reason), mark,
        many > 1 ? make("div", "fer-many", `${many} faces selected`) : make("div", "fer-split", face.split));
      const others = Object.entries(face.votes ?? {}).filter(([name]) => !this.about.vocab.includes(name));
      if (others.length) this.also.textContent = `also voted: ${others.map(([name, n]) => `${name.replaceAll("_", " ")} ${n}`).join(", ")}`;
      this.accept.disabled = face.suggestion === null;
      clearTimeout(this.lookTimer);
      this.lookTimer = setTimeout(() => this.ask("look", { face_id: face.id }), LOOK_AFTER);
    }
    this.words.now = now;
    this.drawn = face;
  }

  drawEmotion(row, name, place, face) {
    const p = face?.p?.[place];
    row.classList.toggle("fer-given", face?.label === name);
    row.classList.toggle("fer-proposed", face?.suggestion === name);
    row.querySelector(".fer-fill").style.width = `${100 * (p ?? 0)}%`;
    row.querySelector(".fer-p").textContent = percent(p);
    row.querySelector(".fer-votes").textContent = face?.votes ? face.votes[name] ?? 0 : "";
    row.parentElement?.classList.toggle("fer-has-votes", Boolean(face?.votes));
    row.setAttribute("aria-label", `Label as ${name}${p === undefined ? "" : `, model ${percent(p)}`}${face?.votes ? `, ${face.votes[name] ?? 0} votes` : ""}, ${this.state.counts[place]} faces`);
  }

  // Neighbours, history and the large picture of the face in front
  drawLook(message, buffers) {
    if (message.face !== this.faces[this.cursor]?.id) return;
    if (message.large) paint(this.large, buffers[1], [1, ...message.large], 0);
    this.look.replaceChildren();
    if (message.near.length) {
      const near = message.near.map(([id, label, likeness], place) => {
        const node = button("fer-near", `${id}\nlikeness ${likeness}`, () => this.filter({ ...this.empty(), search: id }), paint(make("img", "fer-face"), buffers[0], message.shape, place), make("span", "", label ?? "no label"));
        node.classList.toggle("fer-agrees", label === this.faces[this.cursor].label);
        return node;
      });
      this.look.append(make("div", "fer-title", `nearest by ${message.by}`), make("div", "fer-nears", ...near));
    }
    if (message.history.length) {
      const lines = message.history.slice(-6).reverse().map((line) => make("li", "", line));
      this.look.append(make("div", "fer-title", "history"), make("ul", "fer-history", ...lines));
    }
  }

  say(text) { this.status.textContent = text; }

  // ---- asking Python ----------------------------------------------------------------------------------------------

  ask(what, options) {
    const seq = ++this.seq;
    if (what !== "look") this.unanswered.set(seq, { do: what, with: options, at: performance.now() });
    try {
      this.model.send({ do: what, with: options, view: this.view, seq });
    } catch {
      if (what !== "look") this.complain(SILENT); // the kernel is gone
      return seq;
    }
    if (what !== "look") this.watch();
    return seq;
  }

  watch() {
    clearTimeout(this.silence);
    const [oldest] = this.unanswered.values();
    if (oldest) this.silence = setTimeout(() => this.complain(SILENT), Math.max(0, ANSWER_WITHIN - (performance.now() - oldest.at)));
    else if (this.error.dataset.silence) this.complain("");
  }

  complain(text) {
    this.error.textContent = text;
    this.error.hidden = !text;
    this.error.dataset.silence = text.startsWith("Waiting") ? "yes" : "";
  }

  hear(answer) {
    const asked = this.unanswered.get(answer.seq);
    if (!asked) return;
    this.unanswered.delete(answer.seq);
    this.watch();
    if (!answer.ok && asked.do === "decide") this.failed = asked.with.ids;
    else if (answer.ok && asked.do === "decide" && this.failed?.some((id) => asked.with.ids.includes(id))) this.failed = null;
    if (!answer.ok) this.complain(asked.do === "decide" ? `Not saved: ${answer.text}` : answer.text);
    else if (!this.failed && !this.unanswered.size) this.complain(""); // what was not saved is said until it is
    const many = (ids) => (ids.length === 1 ? ids[0] : `${number(ids.length)} faces`);
    if (!answer.ok) this.say(asked.do === "decide" ? "not saved" : "");
    else if (asked.do === "decide") this.say(`${many(asked.with.ids)}: ${asked.with.decision === "relabel" ? [...new Set([asked.with.label].flat())].join(", ") : DECISIONS[asked.with.decision][1]}`);
    else if (asked.do === "undo" || asked.do === "redo") this.say(answer.ids.length ? `${asked.do === "undo" ? "undone" : "done again"}: ${many(answer.ids)}` : `nothing to ${asked.do}`);
    else this.say(asked.do === "go" ? `page ${this.state.page} of ${this.state.pages}` : `${number(this.state.shown)} faces`);
    if (answer.ids?.length && asked.do !== "decide") {
      const place = this.faces.findIndex((face) => answer.ids.includes(face.id));
      if (place >= 0) this.moveTo(place, { focus: true });
    }
    if (answer.seq >= this.turning) {
      this.turning = 0;
      this.filters = null;
      if (asked.do === "go") this.focusCard();
      const keys = this.waiting.splice(0);
      const elsewhere = answer.ids && !this.faces.some((face) => answer.ids.includes(face.id)); // undone, but on no card here
      if (answer.ok && !elsewhere && performance.now() - asked.at < PAGE_WITHIN) keys.forEach((action) => this.run(...action));
      else if (keys.length) this.say("keys pressed before the faces came were dropped"); // they would meet faces that nobody has seen
    }
  }

  // ---- what keys and clicks do ------------------------------------------------------------------------------------

  empty() { return Object.fromEntries(Object.keys(this.state.filters).map((name) => [name, ""])); }

  filter(changes) {
    clearTimeout(this.typing);
    this.filters = changes === null ? this.empty() : { ...(this.filters ?? this.state.filters), ...changes };
    this.turning = this.ask("filter", this.filters);
  }

  turn(page) { this.turning = this.ask("go", { page }); }

  targets() { return this.selected.size ? [...this.selected].sort((a, b) => a - b) : this.faces.length ? [this.cursor] : []; }

  // One decision about the selected faces; a label for all, or for each
  decide(decision, label = null, places = this.targets()) {
    if (!places.length) return;
    this.ask("decide", { ids: places.map((place) => this.faces[place].id), decision, label });
    this.after(places);
  }

  acceptSuggestions() {
    const places = this.targets().filter((place) => this.faces[place].suggestion !== null);
    if (!places.length) return this.say("no suggestion for this face");
    this.decide("relabel", places.map((place) => this.faces[place].suggestion), places);
  }

  // On to the next face that waits, and nothing selected any more
  after(places) {
    this.selected.clear();
    const busy = new Set([...this.unanswered.values()].flatMap((asked) => asked.with.ids ?? []));
    const next = this.faces.findIndex((face, place) => place > places.at(-1) && this.state.marks[place] === null && !busy.has(face.id));
    this.drawMarks();
    this.moveTo(next >= 0 ? next : Math.min(places.at(-1) + 1, this.faces.length - 1), { focus: true });
  }

  // A named action; while a page is on its way, in the order asked
  run(name, ...options) {
    if (this.turning && name !== "help") return this.waiting.push([name, ...options]);
    const { page, pages } = this.state;
    const actions = {
      accept: () => this.acceptSuggestions(), label: (label) => this.decide("relabel", label),
      undo: () => (this.turning = this.ask("undo", {})), redo: () => (this.turning = this.ask("redo", {})),
      next: () => (page < pages ? this.turn(page + 1) : this.say("last page")), previous: () => (page > 1 ? this.turn(page - 1) : this.say("first page")),
      move: (step, extend) => this.step(step, extend), page: () => this.selectAll(), none: () => this.select([]),
      toggle: () => this.select(this.selected.has(this.cursor) ? [...this.selected].filter((place) => place !== this.cursor) : [...this.selected, this.cursor]),
      search: () => this.search.focus(), help: () => this.toggleHelp(),
    };
    (actions[name] ?? (() => this.decide(name)))(...options);
  }

  toggleHelp() {
    this.help.hidden = !this.help.hidden;
    for (const part of this.help.parentElement.children) if (part !== this.help) part.inert = !this.help.hidden; // no key goes behind it
    if (this.help.hidden) this.focusCard();
    else this.help.querySelector("button").focus();
  }

  step(step, extend) {
    const tops = this.cards.map((card) => card.offsetTop);
    const columns = Math.max(1, tops.filter((top) => top === tops[0]).length);
    const last = this.faces.length - 1;
    const to = { ArrowLeft: this.cursor - 1, ArrowRight: this.cursor + 1, ArrowUp: this.cursor - columns, ArrowDown: this.cursor + columns, Home: 0, End: last }[step];
    if (to < 0 || to > last) return;
    this.moveTo(to, { focus: true, extend });
  }

  moveTo(place, { focus = false, extend = false, scroll = true } = {}) {
    const cards = this.cards;
    if (!cards.length) return this.drawDetail();
    cards[this.cursor]?.classList.remove("fer-front");
    if (cards[this.cursor]) cards[this.cursor].tabIndex = -1;
    this.cursor = place;
    cards[place].tabIndex = 0;
    cards[place].classList.add("fer-front");
    if (focus) cards[place].focus({ preventScroll: true });
    if (scroll) cards[place].scrollIntoView({ block: "nearest" });
    if (extend) this.select(this.between(this.anchor, place));
    else this.anchor = place;
    this.drawDetail();
  }

  between(one, other) { return this.faces.map((_, place) => place).filter((place) => place >= Math.min(one, other) && place <= Math.max(one, other)); }

  select(places) {
    this.selected = new Set(places);
    this.cards.forEach((card, place) => card.setAttribute("aria-selected", this.selected.has(place)));
    this.drawDetail();
    this.say(places.length ? `${places.length} selected` : "");
  }

  selectAll() { this.select(this.faces.map((_, place) => place)); }

  focusCard() { this.cards[this.cursor]?.focus({ preventScroll: true }); }

  onClick(event) {
    const card = event.target.closest(".fer-card");
    if (!card) return;
    const place = Number(card.dataset.place);
    if (event.ctrlKey || event.metaKey) {
      if (!this.selected.size && place !== this.cursor) this.selected.add(this.cursor);
      this.moveTo(place, { focus: true });
      this.run("toggle");
    } else {
      if (!event.shiftKey) this.select([]);
      this.moveTo(place, { focus: true, extend: event.shiftKey });
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

  // The action that a key stands for: [name, options...], or nothing
  actionOf(event) {
    const foreign = /^Key[A-Z]$/.test(event.code) && event.key.length === 1 && !/[a-z]/i.test(event.key); // Cyrillic, Greek: by the key's place
    const letter = foreign ? event.code.at(-1).toLowerCase() : event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) return letter === "a" ? ["page"] : null;
    if (letter === "z") return [event.shiftKey ? "redo" : "undo"];
    if (/^(arrow|home|end)/.test(letter)) return ["move", event.key, event.shiftKey];
    const names = { k: "keep", x: "discard", u: "unsure", enter: "accept", n: "next", p: "previous", pagedown: "next", pageup: "previous", "?": "help", "/": "search", " ": "toggle", escape: "none" };
    if (names[letter]) return [names[letter]];
    const number = /^[0-9]$/.test(event.key) ? event.key : /^(Digit|Numpad)[0-9]$/.test(event.code) ? event.code.at(-1) : null;
    const label = number === null ? undefined : this.about.vocab[number === "0" ? 9 : Number(number) - 1];
    return label === undefined ? null : ["label", label];
  }
}

function render({ model, el }) {
  const cleaner = new Cleaner(model, el);
  return () => cleaner.close();
}

export default { render };
