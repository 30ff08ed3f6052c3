"use strict";
/**
 * The blocks of code in the documentation. It reads documents; what a block's words mean is the specs' business.
 */
const fs = require("fs");
const path = require("path");

const { ROOT } = require("./workspace");

const DOCUMENTS = [
  "README.md",
  ...fs
    .readdirSync(path.join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

/**
 * The text of a document.
 * @param {string} document its path in the tree
 */
const textOf = (document) => fs.readFileSync(path.join(ROOT, document), "utf8");

/**
 * @typedef {object} Block
 * @property {string} language
 * @property {string[]} words Those after the language.
 * @property {string} code
 * @property {string | undefined} shows The text of the block of text right after it.
 * @property {number} line
 *
 * The blocks of JavaScript and TypeScript in a text.
 * @param {string} text
 * @returns {Block[]}
 */
function blocksOf(text) {
  const blocks = [];
  const all = [
    ...text.matchAll(/^```(\S*) ?(.*)\n([\s\S]*?)^```$\n*(?=(^```text\n([\s\S]*?)^```$)?)/gm),
  ];
  for (const { 1: language, 2: words, 3: code, 5: shows, index } of all) {
    const line = text.slice(0, index).split("\n").length;
    blocks.push({ language, words: words.split(" ").filter(Boolean), code, shows, line });
  }
  return blocks.filter(({ language }) => ["js", "mjs", "ts"].includes(language));
}

/**
 * What a block's words say of a name: `main.js` for `file` in `js file=main.js`.
 * @param {Block} block
 * @param {string} name
 */
const wordOf = ({ words }, name) =>
  words.map((word) => word.split("=")).find(([key]) => key === name)?.[1];

module.exports = { DOCUMENTS, blocksOf, textOf, wordOf };
