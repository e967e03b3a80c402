// Pane of the current face: classes, decisions, note, copies, neighbors and history

const DETAILS_AFTER = 120; // ms that the cursor rests on a face before its neighbors are requested

class Detail {
  constructor(cleaner) {
    this.cleaner = cleaner;
    const { vocab, has_probs, has_votes } = cleaner.config;
    this.columns = { probs: has_probs, votes: has_votes };
    this.large = Object.assign(make("img", "fer-large"), { alt: "" });
    this.summary = make("div", "fer-summary");
    this.rows = vocab.map((name, index) => this.buildRow(name, index));
    const titles = { "": "label as", "fer-track": "", "fer-p": "model", "fer-votes": "votes", "fer-count": "faces" };
    const heads = Object.entries(titles).map(([name, title]) => make("span", name, title));
    this.head = make("div", "fer-emotion fer-head", make("span"), ...heads);
    this.head.setAttribute("aria-hidden", "true");
    this.also = make("div", "fer-also");
    this.copies = make("div", "fer-copies");
    this.details = make("div", "fer-details");
    const top = make("div", "fer-top", this.large, this.summary);
    this.emotions = make("div", "fer-emotions", this.head, ...this.rows);
    const work = make("div", "fer-work", top, this.emotions, this.also, this.buildActions(), this.buildTools());
    this.node = make("aside", "fer-detail", work, this.buildNote(), this.copies, this.details);
    this.node.setAttribute("aria-label", "Current face");
  }

  close() { clearTimeout(this.timer); }

  buildRow(name, index) {
    const track = make("span", "fer-track", make("span", "fer-fill"));
    const numbers = ["fer-p", "fer-votes", "fer-count"].map((className) => make("span", className));
    const cells = [key(keyName(this.cleaner.keys.classes[index])), make("span", "fer-name", name), track, ...numbers];
    return button("fer-emotion", `Label as ${name}`, () => this.cleaner.run("label", name), ...cells);
  }

  buildButton(className, name, title, text) {
    const letter = key(this.cleaner.keys.nameOf(name));
    return button(`fer-button ${className}`, title, () => this.cleaner.run(name), make("span", "", text), letter);
  }

  buildActions() {
    const decide = (name, title, text) => this.buildButton(`fer-do-${name}`, name, title, text);
    this.accept = decide("accept", "Relabel with the suggestion", "Accept");
    const keep = decide("keep", "The label is correct", "Keep");
    const discard = decide("discard", "Not a usable face", "Discard");
    const unsure = decide("unsure", "The label is unclear", "Unsure");
    return (this.actions = make("div", "fer-actions", this.accept, keep, discard, unsure));
  }

  buildTools() {
    const tool = (name, title, text) => this.buildButton(`fer-tool fer-do-${name}`, name, title, text);
    this.similar = tool("similar", "Show the most similar faces of the dataset", "More like this");
    this.withCopies = tool("copies", "Select this face with its copies", "With copies");
    this.bookmark = tool("bookmark", "Bookmark this face", "☆ Bookmark");
    this.note = tool("note", "Write a note about this face", "Note");
    return (this.tools = make("div", "fer-tools", this.similar, this.withCopies, this.bookmark, this.note));
  }

  buildNote() {
    this.noteText = make("div", "fer-note-text");
    this.editor = make("textarea", "fer-editor");
    attributes(this.editor, { "aria-label": "Note", rows: 2, placeholder: "Note. Enter saves, Esc cancels" });
    this.editor.hidden = true;
    this.editor.addEventListener("keydown", (event) => this.onNoteKey(event));
    this.editor.addEventListener("blur", () => this.closeNote(true));
    return make("div", "fer-note", this.noteText, this.editor);
  }

  onNoteKey(event) {
    event.stopPropagation();
    const ends = event.key === "Escape" || (event.key === "Enter" && !event.shiftKey);
    if (event.isComposing || !ends) return;
    event.preventDefault();
    this.closeNote(event.key === "Enter");
    this.cleaner.focusCard();
  }

  openNote(ids, text) {
    this.noteIds = ids;
    this.editor.value = this.before = text;
    this.editor.hidden = false;
    this.noteText.hidden = true;
    this.editor.focus();
  }

  closeNote(save) {
    if (this.editor.hidden) return;
    const text = this.editor.value.trim();
    this.editor.hidden = true;
    this.noteText.hidden = false;
    if (save && text !== this.before) this.cleaner.send("note", { ids: this.noteIds, text });
  }

  draw() {
    const { cleaner } = this;
    const { state, cursor } = cleaner;
    const face = cleaner.faces[cursor];
    const { shape } = cleaner.model.get("cards");
    this.node.classList.toggle("fer-empty", !face);
    if (face && this.drawn !== face) {
      this.now = null;
      if (this.drawn?.id !== face.id) this.details.replaceChildren();
      paint(this.large, cleaner.model.get("sheet"), shape, cursor);
    }
    this.drawColumns(face);
    this.rows.forEach((row, index) => this.drawRow(row, cleaner.config.vocab[index], index, face));
    this.drawn = face;
    if (!face) return;
    const many = cleaner.targets().length;
    const { note = "", bookmark = false } = state.notes?.[cursor] ?? {};
    const armed = cleaner.armed.has(face.id);
    const mark = state.marks[cursor] ?? [null, null];
    const now = JSON.stringify([face.id, state.page, mark, many, note, bookmark, armed, cleaner.saving.has(face.id)]);
    if (this.now !== now) this.drawSummary(face, mark, many, armed);
    if (this.now !== now) this.drawNote(note, bookmark);
    this.now = now;
    const asked = JSON.stringify([face.id, state.page, mark, cleaner.newsBatch]);
    if (this.asked === asked) return;
    this.asked = asked;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => cleaner.send("details", { face_id: face.id }), DETAILS_AFTER);
  }

  drawColumns(face) {
    const votes = this.columns.votes ?? Boolean(face?.votes);
    const probs = this.columns.probs ?? Boolean(face?.p);
    this.emotions.classList.toggle("fer-has-votes", votes);
    this.emotions.classList.toggle("fer-has-probs", probs);
  }

  drawRow(row, name, index, face) {
    const { state, cursor } = this.cleaner;
    const p = face?.p?.[index];
    const inForce = state.in_force ? state.in_force[cursor] : face?.label;
    row.classList.toggle("fer-given", Boolean(face) && inForce === name);
    row.classList.toggle("fer-proposed", face?.suggestion === name);
    row.querySelector(".fer-fill").style.width = `${100 * (p ?? 0)}%`;
    setText(row.querySelector(".fer-p"), percent(p));
    setText(row.querySelector(".fer-votes"), face?.votes ? number(face.votes[name] ?? 0) : "");
    setText(row.querySelector(".fer-count"), number(state.counts[index]));
    const words = [`Label as ${name}`];
    if (p !== undefined && p !== null) words.push(`model ${percent(p)}`);
    if (face?.votes) words.push(plural(face.votes[name] ?? 0, "vote"));
    row.setAttribute("aria-label", [...words, plural(state.counts[index])].join(", "));
  }

  drawSummary(face, [decision, label], many, armed) {
    const { cleaner } = this;
    const chip = make("span", "fer-chip", decisionText(decision, label, "relabeled "));
    chip.dataset.decision = decision ?? "";
    const suggestion = face.suggestion !== null
      ? make("div", "fer-suggestion", `→ ${face.suggestion}`)
      : make("div", "fer-suggestion fer-kind", face.kind ?? "");
    const letter = key(cleaner.keys.nameOf("change"));
    const allow = () => cleaner.run("change");
    const change = button("fer-change", "Let the next decision alter this one", allow, "change ", letter);
    change.setAttribute("aria-pressed", String(armed));
    change.hidden = decision === null;
    const hadFocus = this.summary.contains(this.summary.getRootNode().activeElement);
    this.summary.replaceChildren(
      make("div", "fer-id", face.id),
      make("div", "fer-was", face.label ?? "no label"),
      suggestion,
      make("div", "fer-why", reasonOf(face)),
      make("div", "fer-state", chip, change),
      many > 1 ? make("div", "fer-many", `${plural(many)} selected`) : make("div", "fer-split", face.split),
    );
    if (hadFocus) (change.hidden ? cleaner.focusCard() : change.focus());
    const others = Object.entries(face.votes ?? {}).filter(([name]) => !cleaner.config.vocab.includes(name));
    const votes = others.map(([name, n]) => `${name.replaceAll("_", " ")} ${n}`).join(", ");
    setText(this.also, votes ? `other votes: ${votes}` : "");
    enable(this.accept, many > 1 || face.suggestion !== null);
  }

  drawNote(note, bookmark) {
    setText(this.noteText, note);
    setText(this.bookmark.firstChild, bookmark ? "★ Bookmark" : "☆ Bookmark");
    this.bookmark.setAttribute("aria-pressed", String(bookmark));
    setText(this.note.firstChild, note ? "Edit note" : "Note");
    this.drawCopies();
  }

  // Copies of the face on the page, side by side
  drawCopies() {
    const { cleaner } = this;
    const face = cleaner.faces[cleaner.cursor];
    const copies = face.copies ?? [];
    this.withCopies.hidden = !copies.length;
    if (this.copiesOf === face) return;
    this.copiesOf = face;
    this.copies.replaceChildren();
    if (!copies.length) return;
    const at = new Map(cleaner.faces.map((one, index) => [one.id, index]));
    const { shape } = cleaner.model.get("cards");
    const views = [face.id, ...copies].filter((id) => at.has(id)).map((id) => {
      const image = picture(cleaner.model.get("sheet"), shape, at.get(id));
      const show = () => cleaner.moveTo(at.get(id), { focus: true });
      const label = cleaner.faces[at.get(id)].label ?? "no label";
      return button("fer-near", id, show, image, make("span", "", label));
    });
    const elsewhere = copies.filter((id) => !at.has(id)).length;
    const more = elsewhere ? `, ${elsewhere} on other pages` : "";
    const title = make("div", "fer-title", `${copies.length + 1} near or exact copies${more}`);
    this.copies.append(title, make("div", "fer-nears", ...views));
  }

  // Neighbors, history and the large image of the current face
  drawDetails(message, buffers) {
    const { cleaner } = this;
    const face = cleaner.faces[cleaner.cursor];
    if (message.face !== face?.id) return;
    if (message.large) {
      paint(this.large, buffers[1], [1, ...message.large], 0);
      cleaner.stage.show(this.large.src);
    }
    const hadFocus = this.details.contains(this.details.getRootNode().activeElement);
    this.details.replaceChildren();
    if (message.near.length) {
      const near = message.near.map(([id, label, similarity], index) => {
        const image = picture(buffers[0], message.shape, index);
        const title = `More like this: ${id}\nsimilarity ${similarity}`;
        const node = button("fer-near", title, () => cleaner.similar(id), image, make("span", "", label ?? "no label"));
        node.setAttribute("aria-label", `More like ${id}, ${label ?? "no label"}, similarity ${similarity}`);
        node.classList.toggle("fer-agrees", label === face.label);
        return node;
      });
      const title = make("div", "fer-title", `nearest faces by ${message.by}: click for more like it`);
      this.details.append(title, make("div", "fer-nears", ...near));
    }
    if (message.history.length) {
      const lines = message.history.slice(-6).reverse().map((line) => make("li", "", line));
      this.details.append(make("div", "fer-title", "history"), make("ul", "fer-history", ...lines));
    }
    if (hadFocus) cleaner.focusCard();
  }
}
