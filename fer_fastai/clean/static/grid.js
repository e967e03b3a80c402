// Cards of the page, with their marks and selection, and the rubber band of the mouse

const DRAG_FROM = 6; // pixels before a press becomes a drag
const EDGE = 28; // pixels from the edge of the grid where a drag scrolls

class Grid {
  constructor(cleaner) {
    this.cleaner = cleaner;
    this.node = make("div", "fer-grid");
    attributes(this.node, { role: "listbox", "aria-multiselectable": "true", "aria-label": "Faces" });
    this.node.addEventListener("click", (event) => this.onClick(event));
    this.node.addEventListener("dblclick", (event) => event.target.closest(".fer-card") && cleaner.run("accept"));
    this.node.addEventListener("pointerdown", (event) => this.onDown(event));
    this.node.addEventListener("pointermove", (event) => this.drag && this.onDrag(event));
    for (const end of ["pointerup", "pointercancel"]) this.node.addEventListener(end, () => this.onUp());
    this.band = make("div", "fer-band");
    this.cards = [];
  }

  drawPage(faces, { shape }, sheet) {
    this.cards = faces.map((face, index) => this.buildCard(face, index, picture(sheet, shape, index)));
    this.node.replaceChildren(...this.cards);
    const hasIssue = (face) => face.p || face.suggestion !== null || face.kind || face.reason || face.problem;
    this.node.classList.toggle("fer-bare", !faces.some(hasIssue));
    this.node.classList.toggle("fer-no-p", !faces.some((face) => face.p));
    this.node.scrollTop = 0;
  }

  buildCard(face, index, img) {
    const { vocab } = this.cleaner.config;
    const at = (name) => (face.p && name !== null ? face.p[vocab.indexOf(name)] : undefined);
    const own = at(face.label), other = at(face.suggestion);
    const line = (className, name, p) =>
      make("div", className, make("span", "fer-name", name), make("span", "fer-p", percent(p)));
    const suggested = face.suggestion !== null
      ? line("fer-suggestion", `→ ${face.suggestion}`, other)
      : line("fer-suggestion fer-kind", face.kind ?? "");
    const bar = make("div", "fer-two", make("span", "fer-own"), make("span", "fer-other"));
    bar.children[0].style.width = `${100 * (own ?? 0)}%`;
    bar.children[1].style.width = `${100 * (face.suggestion === face.label ? 0 : other ?? 0)}%`;
    const near = typeof face.similarity === "number" ? make("span", "fer-near-by", face.similarity.toFixed(2)) : null;
    const frame = make("div", "fer-image", img, make("span", "fer-badges"), near, make("span", "fer-mark"));
    const label = line("fer-label", face.label ?? "no label", own);
    const reason = make("div", "fer-reason", reasonOf(face));
    const card = keepKeys(make("div", "fer-card", frame, label, suggested, bar, reason));
    card.setAttribute("role", "option");
    card.title = `${face.id}\n${reasonOf(face)}`;
    card.tabIndex = -1;
    card.dataset.index = index;
    card.dataset.id = face.id;
    return card;
  }

  drawMarks() {
    const { state, faces, saving } = this.cleaner;
    this.cards.forEach((card, index) => {
      const face = faces[index];
      const [decision, label] = state.marks[index] ?? [null, null];
      const { note = "", bookmark = false } = state.notes?.[index] ?? {};
      const now = JSON.stringify([decision, label, saving.has(face.id), note, bookmark]);
      if (card.now === now) return; // most cards stay as they are
      card.now = now;
      card.dataset.decision = decision ?? "";
      card.classList.toggle("fer-saving", saving.has(face.id));
      const mark = decision === null ? "" : `${SIGNS[decision]} ${decisionText(decision, label)}`;
      setText(card.querySelector(".fer-mark"), mark);
      const copies = face.copies?.length ? `×${face.copies.length + 1}` : "";
      const badges = [bookmark ? "★" : "", note ? "✎" : "", copies].filter(Boolean);
      setText(card.querySelector(".fer-badges"), badges.join(" "));
      card.setAttribute("aria-label", this.cleaner.description(index));
    });
  }

  // The only place that shows the selection
  drawSelection() {
    const { selected } = this.cleaner;
    this.cards.forEach((card, index) => {
      const value = String(selected.has(index));
      if (card.getAttribute("aria-selected") !== value) card.setAttribute("aria-selected", value);
    });
  }

  columns() {
    const [first] = this.cards;
    const next = this.cards.findIndex((card) => card.offsetTop > first.offsetTop);
    return next > 0 ? next : Math.max(1, this.cards.length);
  }

  onClick(event) {
    const card = event.target.closest(".fer-card");
    if (!card || this.dragged) return;
    this.cleaner.click(Number(card.dataset.index), event.ctrlKey || event.metaKey, event.shiftKey);
  }

  onDown(event) {
    this.dragged = false;
    if (event.button || event.shiftKey || event.pointerType === "touch") return;
    if (event.offsetX > this.node.clientWidth && event.target === this.node) return; // the scroll bar
    const base = event.ctrlKey || event.metaKey ? [...this.cleaner.selected] : [];
    this.drag = { ...this.place(event), clientX: event.clientX, clientY: event.clientY, base };
  }

  // Position of the pointer in the scrolled content
  place(event) {
    const { left, top } = this.node.getBoundingClientRect();
    return { x: event.clientX - left + this.node.scrollLeft, y: event.clientY - top + this.node.scrollTop };
  }

  onDrag(event) {
    const { x, y, clientX, clientY, base } = this.drag;
    if (!event.buttons) return this.onUp();
    if (!this.dragged && Math.hypot(event.clientX - clientX, event.clientY - clientY) < DRAG_FROM) return;
    if (!this.dragged) {
      this.dragged = true;
      this.node.setPointerCapture(event.pointerId);
      this.node.append(this.band);
    }
    const { top, bottom } = this.node.getBoundingClientRect();
    if (event.clientY > bottom - EDGE) this.node.scrollTop += EDGE / 2;
    if (event.clientY < top + EDGE) this.node.scrollTop -= EDGE / 2;
    const to = this.place(event);
    const [left, right] = [Math.min(x, to.x), Math.max(x, to.x)];
    const box = { left, top: Math.min(y, to.y), right, bottom: Math.max(y, to.y) };
    const height = Math.min(box.bottom, this.node.scrollHeight - 2) - box.top;
    const lengths = { left: box.left, top: box.top, width: box.right - box.left, height };
    for (const [name, value] of Object.entries(lengths)) this.band.style[name] = `${value}px`;
    const touches = (card) => {
      const { offsetLeft: start, offsetTop: up, offsetWidth, offsetHeight } = card;
      return start < right && start + offsetWidth > left && up < box.bottom && up + offsetHeight > box.top;
    };
    const inside = this.cards.flatMap((card, index) => (touches(card) ? [index] : []));
    const indexes = [...new Set([...base, ...inside])];
    const { selected } = this.cleaner;
    if (indexes.length !== selected.size || indexes.some((i) => !selected.has(i))) this.cleaner.select(indexes);
  }

  onUp() {
    const drag = this.drag;
    this.drag = null;
    if (!drag || !this.dragged) return;
    this.band.remove();
    const [first] = this.cleaner.targets();
    if (first !== undefined) this.cleaner.moveTo(first, { focus: true, scroll: false });
  }
}
