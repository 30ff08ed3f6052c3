"use strict";
// Writes the pictures of docs/flows.md: the graph of each flow whose picture that shows, drawn as the report draws it. A picture that
// follows a program is that of its flow; the others are those of the examples. With --check it writes nothing, and fails if one is not
// up to date.

const { execFile } = require("child_process");
const fs = require("fs");
const os = require("os");
const path = require("path");
const { pathToFileURL } = require("url");
const { promisify } = require("util");

const ROOT = path.join(__dirname, "..");
const DOCUMENT = path.join(ROOT, "docs", "flows.md");
const FOLDER = path.join(ROOT, "docs");
const DRAWING = pathToFileURL(path.join(ROOT, "report", "drawing.mjs")).href;

/** Programs whose flows are drawn too, by the names of their pictures. @type {Record<string, string>} */
const EXAMPLES = {
  "word-count": "examples/words.js",
  etl: "examples/etl/flow.js",
  "page-rank": "examples/page-rank.js",
  logs: "examples/logs/flow.js",
};

const run = promisify(execFile);

/** The pictures that the document shows, each with the program before it. @param {string} text */
function shown(text) {
  const found = /^```js.*\n([\s\S]*?)^```|!\[[^\]]*\]\((images\/flow-([a-z-]+)\.svg)\)/gm;
  /** @type {{ file: string, name: string, code: string }[]} */
  const pictures = [];
  let last = "";
  for (const [, code, file, name] of text.matchAll(found)) {
    if (code !== undefined) last = code;
    else pictures.push({ file, name, code: last });
  }
  return pictures;
}

/** The graph of a program's flow. @param {string} file */
async function graphOf(file) {
  const { stdout } = await run(process.execPath, [
    "--require",
    path.join(__dirname, "flow-graph.js"),
    file,
  ]);
  return JSON.parse(stdout);
}

/** What an element of SVG is here. */
class Markup {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }
}

/** @param {unknown} value */
const escaped = (value) =>
  String(value).replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** @param {string} name @param {Record<string, string | number>} attributes @param {...(Markup | string)} children */
function svg(name, attributes, ...children) {
  const given = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(value)}"`);
  const inner = children.map((child) => (child instanceof Markup ? child.text : escaped(child)));
  const line = ["svg", "g"].includes(name) ? "\n" : "";
  return new Markup(`<${name}${given.join("")}>${inner.join("")}</${name}>${line}`);
}

/** What of the report's style is the graph's: it has colours for light and for dark. */
function styleOf() {
  const css = fs.readFileSync(path.join(ROOT, "report", "page.css"), "utf8");
  const rules = (css.match(/^\.graph [^{ ][^{]*\{[^}]*\}/gm) || []).filter(
    (rule) => !/^\.graph svg/.test(rule),
  );
  const used = new Set(`${rules.join()} var(--ground)`.match(/--[a-z]+/g));
  const [light, dark] = [...css.matchAll(/:root \{([^}]*)\}/g)].map(([, list]) =>
    list
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => used.has(line.split(":")[0]))
      .join(" "),
  );
  const text = [
    `:root { ${light} }`,
    `@media (prefers-color-scheme: dark) { :root { ${dark} } }`,
    "text { font-family: system-ui, Segoe UI, Roboto, DejaVu Sans, sans-serif; }",
    ...rules.map((rule) => rule.replace(/\s+/g, " ")),
  ];
  return new Markup(`<style>\n${text.join("\n")}\n</style>\n`);
}

/** All pictures, by their files. @returns {Promise<Map<string, string>>} */
async function pictures() {
  const { drawing } = await import(DRAWING);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-pictures-"));
  try {
    const made = shown(fs.readFileSync(DOCUMENT, "utf8")).map(async ({ file, name, code }) => {
      const example = EXAMPLES[name];
      const program = example ? path.join(ROOT, example) : path.join(folder, `${name}.js`);
      if (!example) fs.writeFileSync(program, code);
      const { graph, nodes } = await graphOf(program);
      const ground = new Markup(
        '<rect width="100%" height="100%" rx="12" fill="var(--ground)"/>\n',
      );
      const own = { xmlns: "http://www.w3.org/2000/svg", class: "graph" };
      return [file, drawing(svg, graph, nodes, own, styleOf(), ground).text];
    });
    return new Map(/** @type {any} */ (await Promise.all(made)));
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** Files that are not as they should be. @param {Map<string, string>} due */
function stale(due) {
  const files = fs.existsSync(path.join(FOLDER, "images"))
    ? fs.readdirSync(path.join(FOLDER, "images"))
    : [];
  const others = files.filter((name) => /^flow-.*\.svg$/.test(name) && !due.has(`images/${name}`));
  const wrong = [...due].filter(([file, text]) => {
    const whole = path.join(FOLDER, file);
    return !fs.existsSync(whole) || fs.readFileSync(whole, "utf8") !== text;
  });
  return [...wrong.map(([file]) => file), ...others.map((name) => `images/${name}`)];
}

async function main() {
  const due = await pictures();
  const wrong = stale(due);
  if (process.argv.includes("--check")) {
    if (wrong.length > 0)
      console.error(`npm run docs makes others than there are in docs: ${wrong.join(", ")}`);
    process.exitCode = wrong.length > 0 ? 1 : 0;
    return;
  }
  fs.mkdirSync(path.join(FOLDER, "images"), { recursive: true });
  for (const file of wrong) {
    const text = due.get(file);
    if (text === undefined) fs.rmSync(path.join(FOLDER, file));
    else fs.writeFileSync(path.join(FOLDER, file), text);
  }
}

if (require.main === module) main();

module.exports = { pictures, stale };
