"use strict";
/**
 * Promise: docs/moving.md shows, for each package that a program may come from, a program with it and one with this
 * package that prints the same. The page shows the files in `fixtures/moving`, word for word, and what they print. The
 * other packages come from npm when first needed.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const http = require("node:http");
const { once } = require("node:events");
const path = require("node:path");
const { after, before, describe, it } = require("node:test");

const { runToSuccess } = require("../support/command");
const { blocksOf, textOf, wordOf } = require("../support/documents");
const { tool } = require("../support/tools");
const { Workspace } = require("../support/workspace");

const FIXTURES = path.join(__dirname, "..", "fixtures", "moving");

/** The folders of `fixtures/moving`, and the package that each needs. */
const PROGRAMS = {
  piscina: "piscina",
  workerpool: "workerpool",
  tinypool: "tinypool",
  "p-map": "p-map",
  "jest-worker": "jest-worker",
  "worker-farm": "worker-farm",
  fork: undefined,
};

const BLOCKS = blocksOf(textOf("docs/moving.md")).filter((block) => wordOf(block, "file"));

/** The files below a folder, as paths relative to `fixtures/moving`. */
const filesOf = (name) =>
  ["before", "after"].flatMap((side) =>
    fs.readdirSync(path.join(FIXTURES, name, side)).map((file) => `${name}/${side}/${file}`),
  );

it("has a program for each folder", () => {
  assert.deepEqual(fs.readdirSync(FIXTURES).sort(), Object.keys(PROGRAMS).sort());
});

for (const [name, needed] of Object.entries(PROGRAMS)) {
  describe(name, () => {
    const blocks = BLOCKS.filter((block) => wordOf(block, "file").startsWith(`${name}/`));
    const project = new Workspace("moving");
    before(async () => {
      project.installOurs();
      project.copy(path.join(FIXTURES, name), name);
      if (needed) project.link(needed, await tool(/** @type {any} */ (needed)));
    });
    after(() => project.remove());

    const outputOf = async (side, args = []) => {
      const main = filesOf(name).find((file) => file.startsWith(`${name}/${side}/main.`));
      const { stdout, stderr } = await runToSuccess(process.execPath, [main, ...args], {
        cwd: project.folder,
        env: { QUIET: "1" },
      });
      assert.equal(stderr, "");
      return stdout;
    };

    it("is shown as it is here", () => {
      assert.deepEqual(blocks.map((block) => wordOf(block, "file")).sort(), filesOf(name).sort());
      for (const block of blocks) {
        const file = wordOf(block, "file");
        assert.equal(block.code, fs.readFileSync(path.join(FIXTURES, file), "utf8"), file);
      }
    });

    it("prints the same with this package, and what the page shows", async () => {
      const shown = blocks.map(({ shows }) => shows).filter((shows) => shows !== undefined);
      assert.equal(shown.length, 1, "the page shows one output");
      for (const side of ["before", "after"]) {
        if (name !== "p-map") {
          assert.equal(await outputOf(side), shown[0], side);
          continue;
        }
        const site = await Site.open();
        try {
          assert.equal(await outputOf(side, site.pages), shown[0], side);
          assert.equal(site.mostAtOnce, AT_ONCE, side);
        } finally {
          site.close();
        }
      }
    });
  });
}

/** How many pages the programs for p-map ask for at once. */
const AT_ONCE = 4;

/**
 * Six pages, the first with one word, the second with two, and so on. Each request for a page waits until as many wait
 * as the program may make at once, or until no more are to come.
 */
class Site {
  static async open() {
    const site = new Site();
    site.server.listen(0, "127.0.0.1");
    await once(site.server, "listening");
    return site;
  }

  constructor() {
    this.toCome = 6;
    this.waiting = [];
    this.mostAtOnce = 0;
    this.server = http.createServer(({ url }, response) => {
      if (url === "/missing") response.writeHead(404);
      this.waiting.push(() => response.end("word ".repeat(Number(url.slice(1)) || 1)));
      this.mostAtOnce = Math.max(this.mostAtOnce, this.waiting.length);
      this.toCome--;
      if (this.waiting.length < AT_ONCE && this.toCome > 0) return;
      for (const answer of this.waiting.splice(0)) answer();
    });
  }

  get pages() {
    const { port } = /** @type {import("node:net").AddressInfo} */ (this.server.address());
    return [1, 2, 3, 4, 5, 6].map((words) => `http://127.0.0.1:${port}/${words}`);
  }

  close() {
    this.server.close();
    this.server.closeAllConnections();
  }
}
