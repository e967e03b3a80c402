// Browser part of LabelCleaner: elements, text formats and images.
//
// Python joins the files of this folder to one module: dom, keys, filters, grid, detail, panes, label_cleaner.
// Text from data is inserted as text, never as HTML.

const SIGNS = { keep: "✓", relabel: "→", discard: "✕", unsure: "?" };
const WORDS = { keep: "kept", relabel: "relabeled", discard: "discarded", unsure: "unsure" };
const FOCUSABLE = new Set(["button", "input", "select", "textarea"]);

// Turn off the shortcuts of JupyterLab and Notebook 7 while an element has the focus
function keepKeys(node) {
  node.dataset.lmSuppressShortcuts = "true";
  return node;
}

function make(tag, className = "", ...children) {
  const node = document.createElement(tag);
  node.className = className;
  if (tag === "button") node.type = "button";
  if (FOCUSABLE.has(tag)) keepKeys(node);
  node.append(...children.filter((child) => child !== null));
  return node;
}

// A disabled button would lose the focus, and the notebook would receive the next key: aria-disabled keeps it
function button(className, title, action, ...children) {
  const node = make("button", className, ...children);
  node.title = title;
  node.addEventListener("click", (event) => node.ariaDisabled !== "true" && action(event));
  return node;
}

function enable(node, on) { node.setAttribute("aria-disabled", String(!on)); }

function attributes(node, values) {
  for (const [name, value] of Object.entries(values)) node.setAttribute(name, value);
  return node;
}

// Set a text only if it changed: the browser lays out nothing, and a screen reader repeats nothing
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const key = (name) => make("kbd", "", name);
const keyName = (letters) => letters.toUpperCase();
const number = (n) => n.toLocaleString("en");
const plural = (n, word = "face") => `${number(n)} ${word}${n === 1 ? "" : "s"}`;

// Format a probability like the reasons of Python: "<1 %", "70 %", ">99 %"
function percent(p) {
  if (p === null || p === undefined) return "";
  if (p > 0 && p < 0.01) return "<1\u202f%";
  if (p > 0.99 && p < 1) return ">99\u202f%";
  return `${Math.floor(100 * p + 0.5)}\u202f%`;
}

// Reason of an issue; a percent sign stays on the line of its number
const reasonOf = (face) => (face.problem ?? face.reason ?? "").replaceAll(" %", "\u202f%");

// Describe a decision: "kept", or for a relabel the new label after `prefix`
function decisionText(decision, label, prefix = "") {
  if (decision === null) return "undecided";
  return decision === "relabel" ? `${prefix}${label}` : WORDS[decision];
}

// "2 of 8 left out: no suggestion", with counts where there are several reasons; "" for none
function leftOutText(left, total) {
  const reasons = new Map();
  for (const { count, why } of left) {
    if (count) reasons.set(why, (reasons.get(why) ?? 0) + count);
  }
  const all = [...reasons.values()].reduce((sum, count) => sum + count, 0);
  if (!all) return "";
  const each = [...reasons].map(([why, count]) => (reasons.size > 1 ? `${count} ${why}` : why));
  return total > 1 ? `${number(all)} of ${number(total)} left out: ${each.join(", ")}` : each.join(", ");
}

function duration(seconds) {
  const minutes = Math.round(seconds / 60);
  if (minutes < 1) return "less than 1 min";
  return minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
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

const picture = (data, shape, index) => paint(make("img", "fer-face"), data, shape, index);

const DARK = '[data-jp-theme-light="false"], .theme-dark, .dark, .dark-theme, .dark-mode, [data-theme="dark"]';

// Set data-dark to the theme of the page; marimo's widgets are in a shadow tree, where CSS cannot select the page
function followTheme(root) {
  const update = () => {
    const dark = [document.documentElement, document.body].some((node) => node.matches(DARK));
    root.dataset.dark = String(dark);
  };
  const observer = new MutationObserver(update);
  for (const node of [document.documentElement, document.body]) observer.observe(node, { attributes: true });
  update();
  return () => observer.disconnect();
}
