// Row of filters: checklists with counts, search and order

// filter -> [text without a choice, noun of several choices]
const FILTERS = {
  kind: ["all issues", "issues"],
  label: ["labels", "labels"],
  suggestion: ["suggestions", "suggestions"],
  split: ["splits", "splits"],
  decided: ["decisions", "decisions"],
  flags: ["notes", "marks"],
};
const TYPING = 250; // ms after the last letter before a search starts

// Button that opens a list of checkboxes: one filter with several values
class Checklist {
  constructor(name, alone, change) {
    this.name = name;
    this.alone = alone; // value that excludes all others
    this.change = change;
    this.rows = new Map(); // value -> label with its checkbox
    this.chosen = [];
    this.button = button("fer-button fer-choose", `Filter by ${name}`, () => this.toggle(), make("span"));
    attributes(this.button, { "aria-expanded": "false", "aria-haspopup": "true" });
    this.list = attributes(make("div", "fer-list"), { role: "group", "aria-label": `Values of ${name}` });
    this.list.hidden = true;
    this.node = make("div", "fer-checklist", this.button, this.list);
    this.node.addEventListener("keydown", (event) => this.onKey(event));
    this.node.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget && !this.node.contains(relatedTarget)) this.toggle(false);
    });
    this.list.addEventListener("change", (event) => this.onChange(event.target));
  }

  get boxes() { return [...this.list.querySelectorAll("input")]; }

  toggle(open = this.list.hidden) {
    if (open === !this.list.hidden) return;
    const inside = this.list.contains(this.list.getRootNode().activeElement);
    this.list.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
    if (open) {
      const { left, width } = this.node.getBoundingClientRect();
      const edge = this.node.closest(".fer-cleaner").getBoundingClientRect();
      const space = edge.right - left - 8;
      this.list.style.right = space < Math.max(width, 210) ? "0" : "auto";
      this.boxes[0]?.focus();
    } else if (inside) {
      this.button.focus();
    }
  }

  onKey(event) {
    if (this.list.hidden && event.key !== "ArrowDown") return;
    if (!["Escape", "ArrowDown", "ArrowUp", "Home", "End", "Enter"].includes(event.key)) return;
    if (event.key === "Enter" && !event.target.matches("input")) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape" || event.key === "Enter") return this.toggle(false);
    if (this.list.hidden) return this.toggle(true);
    const boxes = this.boxes, at = boxes.indexOf(event.target);
    const step = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: boxes.length - 1 }[event.key];
    boxes[(step + boxes.length) % boxes.length]?.focus();
  }

  onChange(box) {
    let values = this.boxes.filter((one) => one.checked).map((one) => one.value);
    const alone = box.value === this.alone;
    if (box.checked) values = values.filter((value) => (value === this.alone) === alone);
    this.change(values);
  }

  // Show the chosen values and the faces per value under the other filters; rows stay, so the focus stays
  update(values, counts, chosen) {
    const [any, noun] = FILTERS[this.name];
    const text = chosen.length > 2 ? `${chosen.length} ${noun}` : chosen.join(", ") || any;
    setText(this.button.firstChild, text);
    this.button.setAttribute("aria-label", `Filter by ${this.name}: ${text}`);
    this.button.classList.toggle("fer-chosen", chosen.length > 0);
    const shown = values.filter((value) => counts.has(value) || chosen.includes(value));
    this.node.hidden = !shown.length;
    for (const value of shown) {
      if (!this.rows.has(value)) this.rows.set(value, this.buildRow(value));
      const row = this.rows.get(value);
      row.firstChild.checked = chosen.includes(value);
      const count = counts.get(value);
      setText(row.lastChild, count === undefined || count === null ? "" : number(count));
    }
    const rows = shown.map((value) => this.rows.get(value));
    if (rows.some((row, at) => this.list.children[at] !== row)) this.list.replaceChildren(...rows);
    while (this.list.children.length > rows.length) this.list.lastChild.remove();
  }

  buildRow(value) {
    const box = make("input");
    Object.assign(box, { type: "checkbox", value });
    const name = make("span", "fer-name", value.replaceAll("_", " "));
    return make("label", "fer-row", box, name, make("span", "fer-count"));
  }
}

class FilterBar {
  constructor(cleaner) {
    this.cleaner = cleaner;
    const { config } = cleaner;
    this.columns = { ...config.columns, decided: config.decided, flags: ["bookmarked", "noted"] };
    this.lists = Object.keys(FILTERS).map((name) => {
      return new Checklist(name, name === "kind" ? config.all : null, (values) => cleaner.filter({ [name]: values }));
    });
    this.search = make("input", "fer-search");
    Object.assign(this.search, { type: "search", placeholder: "search ids, notes  /", spellcheck: false });
    this.search.setAttribute("aria-label", "Search by face id or note");
    this.search.addEventListener("input", () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.find(), TYPING);
    });
    this.search.addEventListener("keydown", (event) => this.onKey(event));
    this.clear = button("fer-button", "Remove all filters", () => cleaner.filter(null), "Clear");
    const lists = this.lists.map((list) => list.node);
    this.node = make("div", "fer-filters", ...lists, this.search, this.clear, this.buildSort());
    attributes(this.node, { role: "search", "aria-label": "Filters" });
  }

  buildSort() {
    const { cleaner } = this;
    this.sort = make("select", "fer-select");
    for (const name of cleaner.config.sorts ?? []) this.sort.append(new Option(`by ${name}`, name));
    this.sort.addEventListener("change", () => cleaner.sort(this.sort.value));
    attributes(this.sort, { "aria-label": "Order of the faces", title: "Order of the faces" });
    this.sort.hidden = !cleaner.config.sorts?.length;
    return this.sort;
  }

  close() { clearTimeout(this.typing); }

  closeLists(except) {
    for (const list of this.lists) {
      if (!list.node.contains(except)) list.toggle(false);
    }
  }

  find(first = false) {
    clearTimeout(this.typing);
    this.cleaner.filter({ search: this.search.value }, first);
  }

  onKey(event) {
    if (event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Enter") return this.find(true);
    const found = this.search.value || this.cleaner.state.filters.search;
    this.search.value = "";
    if (found) this.find();
    this.cleaner.focusCard();
  }

  update(state) {
    const { facets } = state;
    const filters = this.cleaner.filters ?? state.filters; // a requested filter is shown at once
    for (const list of this.lists) {
      const counts = new Map(facets[list.name]);
      const names = this.columns[list.name];
      const others = [...counts.keys()].filter((value) => !names.includes(value));
      list.update([...others, ...names], counts, filters[list.name]);
    }
    if (this.node.getRootNode().activeElement !== this.search) this.search.value = filters.search;
    this.clear.hidden = !this.cleaner.filtered;
    if (state.sort) this.sort.value = state.sort;
  }
}
