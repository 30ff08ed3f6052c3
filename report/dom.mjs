// Creates elements. Data of a run is always inserted as text, never as HTML.

/** @param {string} id */
export const byId = (id) => document.getElementById(id);

/**
 * @param {string} name the tag, followed by classes after dots: `div.scroll`
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
 * A table. A cell is a text or a node.
 * @param {string[]} heads a head that begins with `#` is for a column of numbers
 * @param {any[][]} rows
 * @param {string} caption the name for screen readers
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
  // Makes it scrollable with the keyboard.
  box.tabIndex = 0;
  return box;
}

/** Fills a box when its <details> is opened. Returns a function that fills it again if it is open. */
export function whenOpen(box, make) {
  const details = box.closest("details");
  const refresh = () => {
    if (details.open) box.replaceChildren(make());
  };
  details.addEventListener("toggle", refresh);
  return refresh;
}

/** A word with a coloured dot. */
export function tag(text, colour) {
  const made = element("span.tag", text);
  made.style.setProperty("--colour", `var(--${colour})`);
  return made;
}

/** A colour of the page for use on a canvas. It depends on the light or dark scheme. */
export const colour = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Calls the listener when the colours change. */
export const onScheme = (listener) =>
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", listener);

const tip = byId("tip");

/** Shows a text next to the pointer. */
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
