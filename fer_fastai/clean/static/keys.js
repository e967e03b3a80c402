// Keys: commands, classes of one or two keystrokes, and the text of the help

// [command, key, text of the help]; a class key takes precedence, the command then needs Shift
const COMMANDS = [
  ["accept", "enter", "accept the suggestion"],
  ["keep", "k", "keep the label"],
  ["discard", "x", "discard: not a usable face"],
  ["unsure", "u", "unsure"],
  ["change", "c", "change: the next decision alters decided faces"],
  ["undo", "z", "undo"],
  ["redo", "Z", "redo"],
  ["toggle", "s", "select or unselect the face"],
  ["copies", "w", "select the face with its copies"],
  ["similar", "m", "more like this: faces by similarity"],
  ["back", "b", "back to the previous list"],
  ["single", " ", "single face, grid"],
  ["larger", "+", "larger faces; zoom a single face"],
  ["smaller", "-", "smaller faces"],
  ["bookmark", "f", "bookmark the face"],
  ["note", "e", "edit the note"],
  ["guide", "g", "guidelines"],
  ["next", "n", "next page"],
  ["previous", "p", "previous page"],
  ["search", "/", "search by face id or note; Enter opens the first hit"],
  ["help", "?", "this help"],
];
const ALSO = { "=": "larger", _: "smaller", pagedown: "next", pageup: "previous", escape: "none" };
const SIGN_OF = { enter: "↵", " ": "Space", "-": "−" };
const MOVES = [
  ["← → ↑ ↓", "move; with Shift, select"],
  ["Home End", "first or last face of the page"],
  ["⌃A  Esc", "select all faces, clear the selection"],
];
const SECOND_KEY = 1500; // ms that the first of two keystrokes waits for the second

class Keys {
  constructor(config) {
    const { vocab, keys = [] } = config;
    const digit = (index) => (index < 9 ? String(index + 1) : index === 9 ? "0" : "");
    this.classes = vocab.map((_, index) => (keys[index] ?? digit(index)).toLowerCase());
    this.vocab = vocab;
    this.typed = "";
    this.commands = new Map();
    for (const [name, letter] of COMMANDS) this.commands.set(letter, name);
  }

  close() { clearTimeout(this.timer); }

  takes(letter) { return this.classes.some((keys) => keys && keys.startsWith(letter)); }

  // Name of a command's key as the buttons and the help show it
  nameOf(command) {
    if (command === "all") return "⌃A";
    const letter = COMMANDS.find(([name]) => name === command)[1];
    if (letter === "Z") return this.takes("z") ? "⌃⇧Z" : "⇧Z";
    if (this.takes(letter)) return `⇧${letter.toUpperCase()}`;
    return SIGN_OF[letter] ?? letter.toUpperCase();
  }

  // Return the action of a key: [name, options...], [] while a second keystroke is awaited, or nothing
  actionOf(event) {
    // Cyrillic, Greek and other layouts: by the position of the key
    const foreign = /^Key[A-Z]$/.test(event.code) && event.key.length === 1 && !/[a-z]/i.test(event.key);
    const letter = foreign ? event.code.at(-1).toLowerCase() : event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) return this.control(letter, event.shiftKey);
    if (/^(arrow|home|end)/.test(letter)) return ["move", event.key, event.shiftKey];
    const position = (event.code ?? "").replace(/^(Digit|Numpad)/, "");
    const label = this.label(letter, event.shiftKey, /^[0-9]$/.test(position) ? position : null);
    if (label) return label;
    if (letter === "z") return this.takes("z") ? ["undo"] : [event.shiftKey ? "redo" : "undo"];
    const name = ALSO[letter] ?? this.commands.get(letter);
    return name && [name];
  }

  control(letter, shift) {
    if (letter === "a") return ["all"];
    if (letter === "z") return [shift ? "redo" : "undo"];
    return letter === "y" ? ["redo"] : null;
  }

  // Action of a class key; digits count by their position too, for layouts that need Shift
  label(letter, shift, digit) {
    clearTimeout(this.timer);
    const [before, candidates] = [this.typed, shift ? [digit] : [letter, digit]];
    this.typed = "";
    for (const one of candidates.filter((name) => name && /^[a-z0-9]$/.test(name))) {
      for (const typed of [before + one, one]) {
        const index = this.classes.indexOf(typed);
        if (index >= 0) return ["label", this.vocab[index]];
        if (!this.takes(typed)) continue;
        this.typed = typed;
        this.timer = setTimeout(() => (this.typed = ""), SECOND_KEY);
        return ["typed", `${keyName(typed)} …`];
      }
    }
    return null;
  }

  // [keys, text] pairs of the help
  help() {
    const classes = this.vocab.flatMap((name, i) => (this.classes[i] ? [[keyName(this.classes[i]), name]] : []));
    return [classes, COMMANDS.map(([name, , text]) => [this.nameOf(name), text]), MOVES];
  }
}
