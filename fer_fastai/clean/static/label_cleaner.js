// Browser part of LabelCleaner: draws the state of the Python widget and sends the user's actions to it.
//
// From Python: `config` (vocabulary, filter values, keys), `cards` (faces of the page), `sheet` (their pixels as one
// block of bytes), `state` (page, filters, decisions, progress, counts, response to the last message).
// To Python: {do, with, view, seq}. A decision is shown as saving until the response arrives.

const ANSWER_WITHIN = 4000; // ms without an answer before a message is shown
const PAGE_WITHIN = 2000; // ms; keys that waited longer for a page are ignored
const POLL_EVERY = 1500; // ms between two checks for the decisions of others
const POLL_WITHIN = 10000; // ms without an answer before the next check is sent
const SILENT =
  "Waiting for the kernel: the last action is not saved yet. If the kernel was restarted, run the cell again.";
const QUIET = new Set(["details", "poll"]); // messages whose answers are not awaited
const DECIDING = new Set(["accept", "label", "keep", "discard", "unsure", "typed", "change"]);
const SIZES = { min: 70, max: 240, step: 10, start: 100 }; // width of a card, in pixels

class Cleaner {
  constructor(model, el) {
    this.model = model;
    this.view = Math.random().toString(36).slice(2, 10);
    this.seq = 0;
    this.unanswered = new Map(); // seq -> {do, with, at}
    this.pending = 0; // seq of the page turn, filter or undo that keys wait for
    this.queue = []; // actions of keys pressed meanwhile
    this.filters = null; // requested, without an answer yet
    this.selected = new Set(); // indexes on the page
    this.armed = new Set(); // ids of decided faces that the next decision may alter
    this.cursor = this.anchor = 0;
    this.keys = new Keys(this.config);
    this.build(el);
    this.handlers = {
      "change:cards": () => this.draw(),
      "change:state": () => this.draw(),
      "msg:custom": (message, buffers) => this.receiveMessage(message, buffers),
    };
    for (const [event, action] of Object.entries(this.handlers)) model.on(event, action);
    this.draw();
    this.poller = setInterval(() => this.poll(), POLL_EVERY);
  }

  close() {
    for (const [event, action] of Object.entries(this.handlers)) this.model.off(event, action);
    clearTimeout(this.silenceTimer);
    clearInterval(this.poller);
    this.unfollow();
    for (const part of [this.keys, this.filterBar, this.detail]) part.close();
  }

  get state() { return this.model.get("state"); }
  get config() { return this.model.get("config"); }
  get faces() { return this.model.get("cards").faces; }
  get single() { return !this.stage.node.hidden; }

  // Ids of the faces with a decision that is not answered yet
  get saving() {
    const sent = [...this.unanswered.values()].filter((one) => one.do === "decide");
    return new Set(sent.flatMap((one) => one.with.ids));
  }

  // ---- layout -----------------------------------------------------------------------------------------------------

  build(el) {
    const root = (this.root = keepKeys(make("div", "fer-cleaner")));
    attributes(root, { role: "group", "aria-label": "Label cleaner", tabindex: "-1" });
    root.addEventListener("keydown", (event) => this.onKey(event));
    root.addEventListener("pointerdown", (event) => this.filterBar.closeLists(event.target));
    this.unfollow = followTheme(root);
    this.grid = new Grid(this);
    this.stage = new Stage(this);
    this.detail = new Detail(this);
    this.filterBar = new FilterBar(this);
    this.guide = new Guide(this);
    this.help = new Help(this);
    this.nothing = make("div", "fer-nothing");
    this.notices = make("div", "fer-notices");
    this.error = make("div", "fer-error");
    this.error.setAttribute("role", "alert");
    this.error.hidden = true;
    const left = make("div", "fer-left", this.grid.node, this.stage.node, this.nothing);
    const main = make("div", "fer-main", left, this.detail.node);
    const above = [this.buildBar(), this.filterBar.node, this.guide.node, this.notices, this.error];
    root.append(this.buildStyle(), ...above, main, this.buildPager(), this.help.node);
    el.append(root);
  }

  // While the widget is displayed, it hides the summary of the notebook, which is for readers without a kernel
  buildStyle() {
    const { summary } = this.config;
    const style = make("style");
    style.textContent = summary ? `.${CSS.escape(summary)} { display: none }` : "";
    return style;
  }

  buildStep(name, title, text) {
    const words = [make("span", "", text), key(this.keys.nameOf(name))];
    return button("fer-button", title, () => this.run(name), ...words);
  }

  buildBar() {
    this.fill = make("span", "fer-fill");
    this.progress = make("div", "fer-progress", this.fill);
    attributes(this.progress, { role: "progressbar", "aria-label": "Decided" });
    this.done = make("span", "fer-done");
    this.pace = make("span", "fer-pace");
    this.status = attributes(make("div", "fer-status"), { role: "status", "aria-live": "polite" });
    const undo = this.buildStep("undo", "Undo the last decision", "Undo");
    const redo = this.buildStep("redo", "Restore the decision that was undone last", "Redo");
    this.mode = this.buildStep("single", "One large face, or the grid", "Single face");
    this.mode.setAttribute("aria-pressed", "false");
    const guide = this.buildStep("guide", "Show the guidelines", "Guidelines");
    guide.hidden = !this.guide.known;
    const help = this.buildStep("help", "Show all keys", "Keys");
    const buttons = make("div", "fer-buttons", undo, redo, this.mode, guide, help);
    return make("div", "fer-bar", this.progress, this.done, this.pace, this.status, buttons);
  }

  buildPager() {
    const turn = (name, title, ...words) => button("fer-button", title, () => this.run(name), ...words);
    this.previous = turn("previous", "Previous page", key(this.keys.nameOf("previous")), " ‹");
    this.next = turn("next", "Next page", "› ", key(this.keys.nameOf("next")));
    this.pageBox = make("input", "fer-page");
    Object.assign(this.pageBox, { type: "number", min: 1 });
    this.pageBox.setAttribute("aria-label", "Page");
    this.pageBox.addEventListener("change", () => this.turn(Number(this.pageBox.value) || 1));
    this.of = make("span", "fer-of");
    this.order = make("span", "fer-order");
    this.pageSize = make("select", "fer-select");
    for (const size of this.config.page_sizes ?? []) this.pageSize.append(new Option(`${size} per page`, size));
    attributes(this.pageSize, { "aria-label": "Faces per page", title: "Faces per page" });
    this.pageSize.hidden = !this.config.page_sizes;
    this.pageSize.addEventListener("change", () => this.resize(Number(this.pageSize.value)));
    const { min, max, step, start } = SIZES;
    this.size = Object.assign(make("input", "fer-size"), { type: "range", min, max, step, value: start });
    attributes(this.size, { "aria-label": "Size of the faces", title: "Size of the faces  + −" });
    this.size.addEventListener("input", () => this.sizeCards(Number(this.size.value)));
    const pages = make("div", "fer-pages", this.previous, this.pageBox, this.of, this.next);
    return make("div", "fer-pager", pages, this.order, make("div", "fer-sizes", this.pageSize, this.size));
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
    const hadFocus = this.root.getRootNode().activeElement;
    const focus = this.grid.node.contains(hadFocus) || this.stage.node.contains(hadFocus);
    this.selected.clear();
    this.armed.clear();
    this.cursor = this.anchor = 0;
    this.grid.drawPage(this.faces, this.model.get("cards"), this.model.get("sheet"));
    this.drawEmpty();
    this.grid.drawMarks();
    this.grid.drawSelection();
    const first = this.landing === "last" ? this.faces.length - 1 : this.landing === "first" ? 0 : null;
    this.landing = null;
    this.moveTo(first ?? Math.max(0, this.state.marks.indexOf(null)), { focus, scroll: first !== null });
  }

  drawEmpty() {
    const empty = !this.faces.length;
    this.nothing.hidden = !empty;
    this.grid.node.hidden = empty || this.single;
    if (!empty) return this.nothing.replaceChildren();
    const { issues, listed, all } = this.config;
    const filtered = this.filtered;
    const none = issues && !listed ? "No issues to review." : "No faces.";
    const text = make("p", "", filtered ? "No face matches these filters." : none);
    const [title, filters] = filtered ? ["Clear the filters", null] : ["Show all faces", { kind: [all] }];
    this.nothing.replaceChildren(text, button("fer-button", title, () => this.filter(filters), title));
  }

  get filtered() { return Object.values(this.state.filters).some((value) => value.length); }

  drawState() {
    const { page, pages, page_size, shown, answer, others, rerank, pending_order, batch } = this.state;
    const own = answer?.view === this.view && answer.do === "decide";
    if (!own) this.newsBatch = batch; // the history of the current face may be longer
    this.drawProgress();
    if (this.root.getRootNode().activeElement !== this.pageBox) this.pageBox.value = page;
    this.pageBox.max = pages;
    setText(this.of, `of ${number(pages)} · ${plural(shown)}`);
    setText(this.order, pending_order && rerank?.text ? `${rerank.text}: new order from the next page on` : "");
    enable(this.previous, page > 1);
    enable(this.next, page < pages);
    this.drawPageSize(page_size);
    if (answer?.view === this.view) this.receive(answer);
    this.filterBar.update(this.state);
    this.announceNews({ others, order: rerank?.text });
    this.drawNotices();
    this.drawCurrent();
  }

  // Announce what others decided and a finished ranking, once; what is known at the start is no news
  announceNews(news) {
    const before = this.news ?? news;
    this.news = news;
    const fresh = Object.keys(news).filter((name) => news[name] && news[name] !== before[name]);
    const texts = [this.status.textContent, ...fresh.map((name) => news[name])];
    if (fresh.length) this.announce(texts.filter(Boolean).join(" · "));
  }

  // Add a page size that is not in the list
  drawPageSize(size) {
    const options = [...this.pageSize.options];
    if (!options.some((option) => Number(option.value) === size)) {
      const after = options.find((option) => Number(option.value) > size) ?? null;
      this.pageSize.insertBefore(new Option(`${size} per page`, size), after);
    }
    this.pageSize.value = size;
  }

  drawCurrent() {
    this.grid.drawMarks();
    this.detail.draw();
    this.stage.draw();
  }

  drawProgress() {
    const { decided, total, per_minute, seconds_left, agreed, repeated } = this.state.progress;
    this.fill.style.width = `${total ? (100 * decided) / total : 0}%`;
    attributes(this.progress, { "aria-valuenow": decided, "aria-valuemin": 0, "aria-valuemax": total });
    setText(this.done, `${number(decided)} of ${number(total)} decided`);
    const words = [];
    if (per_minute) words.push(`${Math.round(per_minute)}/min`);
    if (seconds_left && decided < total) words.push(`${duration(seconds_left)} left`);
    if (repeated) words.push(`self-agreement ${number(agreed)} of ${number(repeated)}`);
    setText(this.pace, words.join(" · "));
    this.pace.title = repeated ? "self-agreement: faces decided again with an equal decision" : "";
  }

  // Lines above the grid: similar faces, all faces decided
  drawNotices() {
    const { source, progress } = this.state;
    const finished = progress.total > 0 && progress.decided >= progress.total;
    const similar = source?.kind === "similar" ? source.of : null;
    const now = JSON.stringify([similar, finished, this.viewDone, this.filtered, progress.total]);
    if (this.notices.now === now) return;
    this.notices.now = now;
    const lines = [];
    if (similar !== null) {
      const text = make("span", "fer-notice-text", "faces like ", make("strong", "", similar));
      const all = this.buildStep("all", "Select all faces of the page", "Select all");
      lines.push([text, all, this.buildStep("back", "Back to the previous list", "Back")]);
    }
    if (finished) {
      lines.push([progress.total === 1 ? "The face is decided." : `All ${plural(progress.total)} are decided.`]);
    } else if (this.viewDone) {
      const clear = button("fer-button", "Remove all filters", () => this.filter(null), "Clear the filters");
      lines.push(["All faces shown here are decided.", this.filtered ? clear : null]);
    }
    const focus = this.notices.contains(this.root.getRootNode().activeElement);
    this.notices.replaceChildren(...lines.map((line) => make("div", "fer-notice", ...line)));
    if (focus) this.focusCard();
  }

  position(index) {
    const { page, page_size, shown } = this.state;
    return `${number((page - 1) * page_size + index + 1)} of ${number(shown)}`;
  }

  // Name of a card for screen readers
  description(index) {
    const face = this.faces[index];
    const [decision, label] = this.state.marks[index] ?? [null, null];
    const { note = "", bookmark = false } = this.state.notes?.[index] ?? {};
    const p = face.p && face.suggestion !== null ? face.p[this.config.vocab.indexOf(face.suggestion)] : null;
    const suggestion = face.suggestion !== null ? `suggested ${face.suggestion} ${percent(p)}`.trim() : face.kind;
    const words = [
      face.label ?? "no label",
      suggestion,
      decisionText(decision, label, "relabeled "),
      reasonOf(face),
      bookmark ? "bookmarked" : "",
      note ? `note: ${note}` : "",
      face.copies?.length ? `${face.copies.length === 1 ? "1 copy" : `${face.copies.length} copies`}` : "",
      face.id,
      this.position(index),
    ];
    return words.filter(Boolean).join(", ");
  }

  announce(text) { setText(this.status, text); this.status.title = text; }

  // ---- messages to Python -----------------------------------------------------------------------------------------

  send(what, options, more = {}) {
    const seq = ++this.seq;
    const quiet = QUIET.has(what);
    if (!quiet) this.unanswered.set(seq, { do: what, with: options, at: performance.now(), ...more });
    try {
      this.model.send({ do: what, with: options, view: this.view, seq });
    } catch {
      if (!quiet) this.showError(SILENT); // the kernel is gone
      return seq;
    }
    if (!quiet) this.startTimer();
    return seq;
  }

  // Send a message that later keys wait for
  request(what, options, more) { this.pending = this.send(what, options, more); }

  // Check the log for decisions of others while the widget is visible
  poll() {
    const visible = document.visibilityState === "visible" && this.root.offsetParent !== null;
    const waits = this.polling && performance.now() - this.polling < POLL_WITHIN;
    if (!visible || waits || this.unanswered.size) return;
    this.polling = performance.now();
    this.send("poll", {});
  }

  startTimer() {
    clearTimeout(this.silenceTimer);
    const [oldest] = this.unanswered.values();
    const wait = oldest ? Math.max(0, ANSWER_WITHIN - (performance.now() - oldest.at)) : 0;
    if (oldest) this.silenceTimer = setTimeout(() => this.showError(SILENT), wait);
    else if (this.error.dataset.silence) this.showError("");
  }

  showError(text) {
    setText(this.error, text);
    this.error.hidden = !text;
    this.error.dataset.silence = text.startsWith("Waiting") ? "yes" : "";
  }

  // Answers without a state: details of a face, or a poll that found nothing new
  receiveMessage(message, buffers) {
    if (message.poll === undefined) this.detail.drawDetails(message, buffers);
    else if (message.view === this.view) this.polling = 0;
  }

  receivePoll(answer) {
    if (answer.seq === this.pollSeq) return;
    this.pollSeq = answer.seq; // a state is drawn several times
    this.polling = 0;
    if (!answer.ok) this.showError(answer.text);
  }

  receive(answer) {
    if (answer.do === "poll") this.receivePoll(answer);
    const sent = this.unanswered.get(answer.seq);
    if (!sent) return;
    this.unanswered.delete(answer.seq);
    this.startTimer();
    const decides = sent.do === "decide";
    if (!answer.ok && decides) this.failed = sent.with.ids;
    else if (decides && this.failed?.some((id) => sent.with.ids.includes(id))) this.failed = null;
    if (!answer.ok) this.showError(decides ? `Not saved: ${answer.text}` : answer.text);
    else if (!this.failed && !this.unanswered.size) this.showError(""); // the error stays until the decision is saved
    if (!["note", "bookmark"].includes(sent.do)) this.viewDone = Boolean(answer.all_decided);
    const text = this.answerText(answer, sent);
    this.announce(sent.advance && answer.ok ? `${this.decidedText} · ${text}` : text);
    if (decides) this.decidedText = text;
    if (answer.ok) this.place(answer, sent);
    if (answer.seq >= this.pending) this.release(answer, sent);
  }

  // Move the cursor to the face of an answer
  place(answer, sent) {
    const target = { undo: answer.ids, redo: answer.ids, back: answer.ids, resize: [sent.with.face_id] }[sent.do];
    const index = target ? this.faces.findIndex((face) => target.includes(face.id)) : -1;
    if (index >= 0) this.moveTo(index, { focus: true });
    else if (sent.first && this.faces.length) this.moveTo(0, { focus: true });
    else if (sent.focus) this.focusCard();
    if (sent.do === "decide" && answer.left_out) this.continueAfter(sent);
  }

  // After a page turn, filter or undo: run the keys that waited for it
  release(answer, sent) {
    this.pending = 0;
    this.filters = null;
    if (sent.last && answer.ok && this.pageDecided) return this.request("advance", {}, { advance: true, focus: true });
    const keys = this.queue.splice(0);
    const here = !answer.ids?.length || this.faces.some((face) => answer.ids.includes(face.id));
    const fresh = answer.ok && here && performance.now() - sent.at < PAGE_WITHIN;
    const kept = keys.filter(([name]) => fresh && !(sent.advance && DECIDING.has(name)));
    if (kept.length < keys.length) this.announce("keys pressed before the page was loaded are ignored");
    kept.forEach((action) => this.run(...action));
  }

  // Faces of a decision that Python left out are undecided again: move the cursor to the first of them
  continueAfter(sent) {
    const index = this.faces.findIndex((face, at) => sent.with.ids.includes(face.id) && this.state.marks[at] === null);
    if (index >= 0 && sent.last) this.moveTo(index, { focus: true });
  }

  get pageDecided() { return this.faces.length > 0 && this.state.marks.every((mark) => mark !== null); }

  // Describe an answered message for the status line
  answerText(answer, sent) {
    if (sent.do === "decide") return this.decideText(answer, sent);
    if (!answer.ok) return "";
    const { page, pages, shown } = this.state;
    const ids = answer.ids ?? [];
    const faces = ids.length === 1 ? ids[0] : plural(ids.length);
    switch (sent.do) {
      case "go": return `page ${page} of ${pages}`;
      case "advance": return answer.all_decided ? "all faces are decided" : `page ${page} of ${pages}`;
      case "filter": return plural(shown);
      case "similar": return `${plural(shown)} by similarity`;
      case "sort": return `sorted by ${sent.with.by}`;
      case "resize": return `${plural(sent.with.page_size)} per page`;
      case "note": return sent.with.text ? "note saved" : "note removed";
      case "bookmark": return sent.with.on ? "bookmarked" : "bookmark removed";
      case "undo": return ids.length ? `undone: ${faces}` : "nothing to undo";
      case "redo": return ids.length ? `redone: ${faces}` : "nothing to redo";
      default: return "";
    }
  }

  decideText(answer, sent) {
    if (!answer.ok) return "not saved";
    const left = [...sent.left, ...[answer.left_out ?? []].flat()];
    const done = answer.ids ?? sent.with.ids;
    const labels = [...new Set([sent.with.label].flat())].join(", ");
    const faces = done.length === 1 ? done[0] : plural(done.length);
    const words = done.length ? `${faces}: ${decisionText(sent.with.decision, labels)}` : "";
    return [words, leftOutText(left, sent.total)].filter(Boolean).join("; ");
  }

  // ---- actions of keys and clicks ---------------------------------------------------------------------------------

  // Request other filters; `first` moves the focus to the first hit
  filter(changes, first = false) {
    const { filters } = this.state;
    const empty = Object.fromEntries(Object.keys(filters).map((name) => [name, name === "search" ? "" : []]));
    this.filters = changes === null ? empty : { ...(this.filters ?? filters), ...changes };
    this.request("filter", this.filters, { first, focus: changes === null });
  }

  turn(page) { this.request("go", { page }, { focus: true }); }

  resize(page_size) { this.request("resize", { page_size, face_id: this.faces[this.cursor]?.id ?? null }); }

  sort(by) { this.request("sort", { by, face_id: this.faces[this.cursor]?.id ?? null }); }

  similar(face_id) {
    this.request("similar", { face_id, cursor: this.faces[this.cursor].id }, { focus: true, first: true });
  }

  back() {
    if (this.state.source?.kind !== "similar") return this.announce("no previous list");
    this.request("back", {}, { focus: true });
  }

  // Indexes of the selected faces, or of the current face
  targets() {
    if (this.selected.size) return [...this.selected].sort((a, b) => a - b);
    return this.faces.length ? [this.cursor] : [];
  }

  idsOf(indexes) { return indexes.map((index) => this.faces[index].id); }

  isDecided(index, saving = this.saving) {
    return this.state.marks[index] !== null || saving.has(this.faces[index].id);
  }

  // Send one decision about faces of the page: one label for all, or a function of the face. Decided faces are left
  // out unless they may be changed, and so are faces that cannot take the decision
  decide(decision, label = null) {
    const all = this.targets();
    if (!all.length) return;
    const [saving, left, indexes] = [this.saving, new Map(), []];
    for (const index of all) {
      const why = this.obstacle(index, decision, label, saving);
      if (why) left.set(why, (left.get(why) ?? 0) + 1);
      else indexes.push(index);
    }
    const reasons = [...left].map(([why, count]) => ({ count, why }));
    if (!indexes.length) return this.announce(leftOutText(reasons, all.length) + this.changeHint(left));
    const given = typeof label === "function" ? indexes.map((index) => label(this.faces[index])) : label;
    const change = indexes.some((index) => this.isDecided(index, saving));
    const message = { ids: this.idsOf(indexes), decision, label: given, batch: this.state.batch, change };
    this.sent = this.send("decide", message, { left: reasons, total: all.length });
    this.after(indexes, all);
  }

  // Return why a face cannot take a decision, or null
  obstacle(index, decision, label, saving) {
    const face = this.faces[index];
    if (this.isDecided(index, saving) && !this.armed.has(face.id)) return "already decided";
    if (typeof label === "function" && label(face) === null) return "no suggestion";
    const unlabeled = face.label === null && !this.state.in_force?.[index];
    return decision === "keep" && unlabeled ? "no label to keep" : null;
  }

  changeHint(left) { return left.has("already decided") ? `: press ${this.keys.nameOf("change")} to change` : ""; }

  // Let the next decision alter the decided faces among the targets
  change() {
    const ids = this.idsOf(this.targets().filter((index) => this.isDecided(index)));
    if (!ids.length) return this.announce("not decided yet");
    const armed = ids.every((id) => this.armed.has(id));
    this.armed = new Set(armed ? [] : ids);
    this.announce(armed ? "" : `change ${ids.length === 1 ? ids[0] : plural(ids.length)}: press the new decision`);
    this.drawCurrent();
  }

  // Clear the selection and move to a face that was left out, or to the next undecided face. After the last one of the
  // page, the next page opens
  after(indexes, all) {
    this.select([]);
    this.armed.clear();
    const saving = this.saving;
    const open = this.faces.flatMap((_, index) => (this.isDecided(index, saving) ? [] : [index]));
    const last = indexes.at(-1);
    const next = open.find((index) => all.includes(index)) ?? open.find((index) => index > last) ?? open[0];
    if (next === undefined) {
      this.unanswered.get(this.sent).last = true;
      this.pending = this.sent;
    }
    this.grid.drawMarks();
    this.moveTo(next ?? last, { focus: true });
  }

  // Run a named action; while a page is loading, queue it
  run(name, ...options) {
    if (name === "typed") return this.announce(options[0]);
    if (this.pending && name !== "help" && name !== "guide") return this.queue.push([name, ...options]);
    const { page, pages } = this.state;
    const actions = {
      accept: () => this.decide("relabel", (face) => face.suggestion),
      label: (label) => this.decide("relabel", label),
      change: () => this.change(),
      undo: () => this.request("undo", { batch: this.state.batch }),
      redo: () => this.request("redo", { batch: this.state.batch }),
      next: () => (page < pages ? this.turn(page + 1) : this.announce("last page")),
      previous: () => (page > 1 ? this.turn(page - 1) : this.announce("first page")),
      move: (step, extend) => this.step(step, extend),
      all: () => this.selectAll(),
      none: () => this.escape(),
      toggle: () => this.toggle(),
      copies: () => this.selectCopies(),
      similar: () => this.faces.length && this.similar(this.faces[this.cursor].id),
      back: () => this.back(),
      single: () => this.toggleSingle(),
      larger: () => this.resizeFaces(1),
      smaller: () => this.resizeFaces(-1),
      bookmark: () => this.bookmark(),
      note: () => this.editNote(),
      guide: () => this.guide.known && this.guide.toggle(),
      search: () => this.filterBar.search.focus(),
      help: () => this.toggleHelp(),
    };
    (actions[name] ?? (() => this.decide(name)))(...options);
  }

  toggleHelp() {
    this.help.toggle();
    if (!this.help.open) this.focusCard();
  }

  toggleSingle() {
    if (!this.faces.length) return;
    const single = !this.single;
    this.select([]);
    this.stage.node.hidden = !single;
    this.grid.node.hidden = single;
    this.root.classList.toggle("fer-single", single);
    this.mode.setAttribute("aria-pressed", String(single));
    this.stage.draw();
    this.moveTo(this.cursor, { focus: true });
  }

  // Zoom a single face, or change the width of the cards
  resizeFaces(step) {
    if (this.single) return this.stage.change(step);
    const width = Number(this.size.value) + 2 * step * SIZES.step;
    this.size.value = width;
    this.sizeCards(Number(this.size.value));
  }

  sizeCards(width) {
    this.grid.node.style.setProperty("--card", `${width}px`);
    this.grid.cards[this.cursor]?.scrollIntoView({ block: "nearest" });
  }

  bookmark() {
    const indexes = this.targets();
    if (!indexes.length) return;
    const on = indexes.some((index) => !this.state.notes?.[index]?.bookmark);
    this.send("bookmark", { ids: this.idsOf(indexes), on });
  }

  editNote() {
    const indexes = this.targets();
    if (indexes.length) this.detail.openNote(this.idsOf(indexes), this.state.notes?.[this.cursor]?.note ?? "");
  }

  // Esc: stop the change, otherwise clear the selection, leave the single face, or clear the search
  escape() {
    if (this.armed.size) {
      this.armed.clear();
      this.announce("");
      this.drawCurrent();
    } else if (this.selected.size) {
      this.select([]);
    } else if (this.single) {
      this.toggleSingle();
    } else if (this.state.filters.search) {
      this.filter({ search: "" });
    }
  }

  step(step, extend) {
    const columns = this.single ? 1 : this.grid.columns();
    const last = this.faces.length - 1;
    const offsets = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    const to = step === "Home" ? 0 : step === "End" ? last : this.cursor + offsets[step];
    if (to >= 0 && to <= last) return this.moveTo(to, { focus: true, extend: extend && !this.single });
    const page = this.state.page + Math.sign(offsets[step]);
    if (!this.single) return;
    if (page < 1 || page > this.state.pages) return this.announce(page < 1 ? "first face" : "last face");
    this.landing = page > this.state.page ? "first" : "last";
    this.turn(page);
  }

  moveTo(index, { focus = false, extend = false, scroll = true } = {}) {
    const { cards } = this.grid;
    if (!cards.length) return this.drawCurrent();
    if (index !== this.cursor) this.armed.clear();
    cards[this.cursor]?.classList.remove("fer-front");
    if (cards[this.cursor]) cards[this.cursor].tabIndex = -1;
    this.cursor = index;
    cards[index].tabIndex = 0;
    cards[index].classList.add("fer-front");
    if (focus) this.focusCard();
    if (scroll && !this.single) this.scrollTo(cards[index]);
    if (extend) return this.select(this.between(this.anchor, index));
    this.anchor = index;
    this.drawCurrent();
  }

  // Scroll the grid only: scrollIntoView would move the notebook too
  scrollTo(card) {
    const { node } = this.grid;
    const [top, bottom] = [card.offsetTop - 4, card.offsetTop + card.offsetHeight + 4];
    if (top < node.scrollTop) node.scrollTop = top;
    else if (bottom > node.scrollTop + node.clientHeight) node.scrollTop = bottom - node.clientHeight;
  }

  between(one, other) {
    const [first, last] = [Math.min(one, other), Math.max(one, other)];
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  }

  select(indexes) {
    const before = this.selected.size;
    this.selected = new Set(indexes);
    this.grid.drawSelection();
    this.detail.draw();
    if (indexes.length || before) this.announce(indexes.length ? `${plural(indexes.length)} selected` : "");
  }

  toggle() {
    if (this.single) return this.announce("faces are selected in the grid");
    const indexes = new Set(this.selected);
    if (!indexes.delete(this.cursor)) indexes.add(this.cursor);
    this.select([...indexes]);
  }

  selectAll() {
    if (this.single) return this.announce("faces are selected in the grid");
    this.select(this.faces.map((_, index) => index));
  }

  selectCopies() {
    const face = this.faces[this.cursor];
    if (!face?.copies?.length) return this.announce("no copies of this face");
    const indexes = this.faces.flatMap((one, index) => ([face.id, ...face.copies].includes(one.id) ? [index] : []));
    this.select(indexes);
  }

  // Move the focus to the current face, wherever it is drawn
  focusCard() {
    const node = this.single ? this.stage.lens : this.grid.cards[this.cursor] ?? this.root;
    node.focus({ preventScroll: true });
  }

  click(index, add, extend) {
    if (add) {
      if (!this.selected.size && index !== this.cursor) this.selected.add(this.cursor);
      const armed = new Set(this.armed).add(this.faces[index].id);
      this.moveTo(index, { focus: true });
      this.armed = armed;
      return this.run("toggle");
    }
    if (!extend) this.select([]);
    this.moveTo(index, { focus: true, extend });
    if (extend) return;
    if (this.isDecided(index)) this.armed = new Set([this.faces[index].id]);
    this.drawCurrent();
  }

  onKey(event) {
    event.stopPropagation();
    if (event.isComposing || event.altKey) return;
    const typing = event.target.matches("input, select, textarea");
    if (event.key === "Escape" && (typing || this.help.open)) {
      if (this.help.open) this.help.toggle();
      return this.focusCard();
    }
    if (typing || (this.help.open && event.key !== "?")) return;
    if (event.target.matches("button") && [" ", "Enter"].includes(event.key)) return;
    const action = this.keys.actionOf(event);
    if (!action) return;
    event.preventDefault();
    if (!event.repeat || action[0] === "move") this.run(...action);
  }
}

function render({ model, el }) {
  const cleaner = new Cleaner(model, el);
  return () => cleaner.close();
}

export default { render };
