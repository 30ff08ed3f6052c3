// Elements. What comes from a run is only ever text: nothing here reads HTML.

/** @param {string} id */
export const byId = (id) => document.getElementById(id);

/**
 * @param {string} name of the element, with a class behind a dot
 * @param {...(Node | string)} children
 */
export function element(name, ...children) {
  const [tag, ...classes] = name.split(".");
  const made = document.createElement(tag);
  if (classes.length > 0) made.className = classes.join(" ");
  made.append(...children);
  return made;
}

/**
 * A table. A cell is a text, a number's text `{ number }` or a node.
 * @param {string[]} heads one that begins with `#` is a number's
 * @param {any[][]} rows
 * @param {string} caption what a screen reader calls it
 */
export function table(heads, rows, caption) {
  const isNumber = heads.map((head) => head.startsWith("#"));
  const cell = (tag, content, at) => {
    const made = element(isNumber[at] ? `${tag}.number` : tag, content);
    if (tag === "th") made.scope = "col";
    return made;
  };
  const head = element("tr", ...heads.map((text, at) => cell("th", text.replace("#", ""), at)));
  const body = rows.map((row) =>
    element("tr", ...row.map((content, at) => cell("td", content, at))),
  );
  const made = element("table", element("thead", head), element("tbody", ...body));
  made.setAttribute("aria-label", caption);
  const box = element("div.scroll", made);
  // So that the keyboard can scroll it.
  box.tabIndex = 0;
  return box;
}

/** Fills a box when the details that it is in are opened, and again when `refresh` is called. */
export function whenOpen(box, make) {
  const details = box.closest("details");
  const refresh = () => {
    if (details.open) box.replaceChildren(make());
  };
  details.addEventListener("toggle", refresh);
  return refresh;
}

/** A word with a dot in the colour of what it names. */
export function tag(text, colour) {
  const made = element("span.tag", text);
  made.style.setProperty("--colour", `var(--${colour})`);
  return made;
}

/** A colour of the page's, as a canvas wants it: they change with the light. */
export const colour = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Calls when the colours change. */
export const onScheme = (listener) =>
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", listener);

const tip = byId("tip");

/** Shows a text beside the pointer. */
export function showTip(text, x, y) {
  tip.textContent = text;
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const left = x + 14 + width > innerWidth ? x - 14 - width : x + 14;
  const top = y + 14 + height > innerHeight ? y - 14 - height : y + 14;
  tip.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
}

export function hideTip() {
  tip.hidden = true;
}
