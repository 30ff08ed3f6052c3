"use strict";
/**
 * Promised: lib/ is four folders. A file of master/ requires nothing of worker/, nor the other way round, and shared/
 * requires neither; cluster/ stands upon master/, which knows nothing of it; each file says first what it owns, and has at most 400 lines. A folder within one of them is of the same layer.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const fs = require("node:fs");
const path = require("node:path");

const LIB = path.join(__dirname, "..", "..", "lib");
const MAY_REQUIRE = {
  cluster: ["cluster", "master", "shared"],
  master: ["master", "shared"],
  worker: ["worker", "shared"],
  shared: ["shared"],
};
/** Made by scripts/report.js. */
const GENERATED = ["page.js", "live-page.js"];
const MOST_LINES = 400;

const filesOf = (folder, within = "") =>
  fs.readdirSync(path.join(LIB, folder, within), { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(within, entry.name);
    if (entry.isDirectory()) return filesOf(folder, name);
    if (!name.endsWith(".js")) return [];
    return [[name, fs.readFileSync(path.join(LIB, folder, name), "utf8")]];
  });

describe("lib/", () => {
  it("has the folders that are layers, and nothing else", () => {
    assert.deepEqual(fs.readdirSync(LIB).sort(), Object.keys(MAY_REQUIRE).sort());
  });

  for (const [folder, allowed] of Object.entries(MAY_REQUIRE)) {
    it(`requires in ${folder}/ only what it may`, () => {
      for (const [name, text] of filesOf(folder)) {
        const required = [...text.matchAll(/(?:require|import)\("(\.[^"]*)"\)/g)].map(([, file]) =>
          path.relative(LIB, path.join(LIB, folder, path.dirname(name), file)),
        );
        const own = required.filter((file) => !file.startsWith(".."));
        assert.deepEqual(
          own.filter((file) => !allowed.includes(file.split(path.sep)[0])),
          [],
          `${folder}/${name}`,
        );
      }
    });

    it(`has short files in ${folder}/ that say first what they own`, () => {
      for (const [name, text] of filesOf(folder).filter(([name]) => !GENERATED.includes(name))) {
        assert.match(text, /^"use strict";\n\/\/ \S/, name);
        assert.ok(
          text.split("\n").length - 1 <= MOST_LINES,
          `${folder}/${name} has more than ${MOST_LINES} lines`,
        );
      }
    });
  }
});
