"use strict";
/**
 * Promise: The documentation does what it shows. Each block of JavaScript or TypeScript in README.md and docs/ is a
 * whole program, or a part that the text marks: it runs where the package is installed, and must print what the block
 * of text after it shows, if there is one.
 *
 * Words after the language say what a block is: `js part` does not run; `js file=NAME` is only written, for later
 * blocks of the same document; `ts` runs on a Node that strips types, `mjs` as an ES module; `js run=NAME` is a test
 * file for that runner. `moving.spec.js` runs the programs of docs/moving.md.
 *
 * A link to another page or another part of a page finds it.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { after, before, describe, it } = require("node:test");

const { RUNNER_LIMIT, runCommand } = require("../support/command");
const { DOCUMENTS, blocksOf, textOf, wordOf } = require("../support/documents");
const { nodeOfLine } = require("../support/node-lines");
const { SITE, installFrom } = require("../support/packages");
const { MODULES, ROOT, Workspace } = require("../support/workspace");

/** How each runner is started for one file. */
const RUNNERS = {
  mocha: (file) => [path.join(MODULES, "mocha/bin/mocha"), "--timeout", `${RUNNER_LIMIT}`, file],
  "node:test": (file) => ["--test", file],
  jest: (file, folder) => [
    path.join(MODULES, "jest/bin/jest.js"),
    "--watchman=false",
    `--testTimeout=${RUNNER_LIMIT}`,
    "--config",
    JSON.stringify({ rootDir: folder }),
    "--cacheDirectory",
    path.join(folder, "cache"),
    "--runTestsByPath",
    file,
  ],
  vitest: (file) => [
    path.join(MODULES, "vitest/vitest.mjs"),
    "run",
    `--testTimeout=${RUNNER_LIMIT}`,
    `--hookTimeout=${RUNNER_LIMIT}`,
    file,
  ],
  ava: (file) => [path.join(SITE, "node_modules/ava/entrypoints/cli.mjs"), "--timeout=1m", file],
};

for (const document of DOCUMENTS) {
  describe(document, () => {
    const project = new Workspace("docs");
    const home = project.path("node_modules/@tiemma");
    fs.mkdirSync(home, { recursive: true });
    fs.symlinkSync(ROOT, path.join(home, "sonic-distribute"));
    project.link("vitest");
    if (textOf(document).includes(" run=ava\n")) {
      before(() => installFrom(SITE));
      project.link("ava", path.join(SITE, "node_modules/ava"));
    }
    after(() => project.remove());

    for (const block of blocksOf(textOf(document))) {
      const { language, words, code, shows, line } = block;
      const [file, runner] = [wordOf(block, "file"), wordOf(block, "run")];
      if (file) project.write(file, code);
      if (file || words.includes("part")) continue;
      if (runner) {
        it(`passes, the test of ${runner} in line ${line}`, async () => {
          const test = path.basename(project.write(`part-${line}.test.${language}`, code));
          const env = { QUIET: "1", NO_COLOR: "1" };
          const end = await runCommand(process.execPath, RUNNERS[runner](test, project.folder), {
            cwd: project.folder,
            env,
          });
          assert.equal(end.code, 0, end.output);
          assert.match(end.output, /\b(1 passing|pass 1|1 passed|1 test passed)\b/);
        });
        continue;
      }
      it(`does what its program in line ${line} says`, async () => {
        project.write(`program-${line}.${language}`, code);
        const node = language === "ts" ? await nodeOfLine(24) : process.execPath;
        const end = await runCommand(node, [`program-${line}.${language}`], {
          cwd: project.folder,
          env: { QUIET: "1" },
        });
        assert.equal(end.code, 0, end.output);
        assert.equal(end.stderr, "");
        if (shows !== undefined) assert.equal(end.stdout, shows);
      });
    }
  });
}

describe("the links", () => {
  const PAGES = [
    ...DOCUMENTS,
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "examples/README.md",
  ];

  /** What GitHub makes of the headings of a page, and the anchors that the page has itself. */
  const anchorsOf = (page) => {
    const text = withoutCode(textOf(page));
    const seen = {};
    const ofHeadings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => {
      const name = heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, "")
        .replaceAll(" ", "-");
      const before = Object.hasOwn(seen, name) ? seen[name] : 0;
      seen[name] = before + 1;
      return before === 0 ? name : `${name}-${before}`;
    });
    return [...ofHeadings, ...[...text.matchAll(/<a id="(.*?)">/g)].map(([, id]) => id)];
  };
  /** The README is read on npm and in node_modules too: it names the repository in each link. */
  const inRepository = (link) =>
    link.replace(
      /^https:\/\/(raw\.githubusercontent\.com\/tiemma\/sonic-distribute|github\.com\/tiemma\/sonic-distribute\/(blob|tree))\/main\//,
      "",
    );
  const withoutCode = (text) => text.replace(/^```[\s\S]*?^```$/gm, "");

  for (const page of PAGES) {
    it(`of ${page} lead somewhere`, () => {
      const links = [...withoutCode(textOf(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, to]) => to);
      for (const link of links.map(inRepository).filter((to) => !/^https?:/.test(to))) {
        const [file, anchor] = link.split("#");
        const target = file === "" ? page : path.join(path.dirname(page), file);
        assert.ok(fs.existsSync(path.join(ROOT, target)), link);
        if (anchor !== undefined) assert.ok(anchorsOf(target).includes(anchor), link);
      }
    });
  }
});

describe("the figures in docs/comparison.md", () => {
  const WORK = [
    ["100,000 tiny events", { workload: "tiny", workers: 2, events: 100_000 }],
    ["20,000 objects of 1 KB", { workload: "object" }],
    ["strings of 100 KB", { workload: "string100k" }],
    ["strings of 10 MB", { workload: "string10m" }],
    ["Buffers of 1 MB", { workload: "buffer1m" }],
    ["tasks of 0.1 ms", { workload: "cpu100us" }],
    ["tasks of 1 ms", { workload: "cpu1ms" }],
    ["round trip", { workload: "roundtrip" }],
    ["start of two workers", { workload: "start" }],
  ];
  const POOLS = ["piscina", "tinypool", "workerpool", "poolifier"];

  it("are those of bench/results.json", () => {
    const { cases } = JSON.parse(textOf("bench/results.json"));
    const rows = WORK.map(([title, wanted]) => {
      const { results } = cases.find((one) =>
        Object.entries(wanted).every(([key, value]) => one[key] === value),
      );
      const medianOf = (name) => results.find(({ contestant }) => contestant === name).median;
      const ratios = POOLS.map((name) => (medianOf(name) / medianOf("ours")).toPrecision(2));
      return `| ${title} | ${ratios.join(" | ")} |`;
    });
    const head = [
      "| work | piscina, threads | tinypool, threads | workerpool, processes | poolifier, cluster |",
      "| --- | --- | --- | --- | --- |",
    ];
    const [, shown] = /^<!-- made from.*-->\n\n([\s\S]*?)\n<!-- end -->$/m.exec(
      textOf("docs/comparison.md"),
    );
    assert.equal(shown.trim(), [...head, ...rows].join("\n"));
  });
});

describe("what is in the package", () => {
  for (const page of ["README.md", "CHANGELOG.md", "SECURITY.md"]) {
    it(`has links that lead somewhere from npm and from node_modules too: ${page}`, () => {
      const links = [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, to]) => to);
      assert.deepEqual(
        links.filter((link) => !link.startsWith("https://")),
        [],
      );
    });
  }
  it("has the commands that a clone is tested with", () => {
    for (const command of ["npm install && npm run demo", "npm test"])
      assert.ok(textOf("README.md").includes(`\n${command} `), command);
  });
});

describe("the recipe for an event that needs another one's answer", () => {
  const project = new Workspace("recipe");
  after(() => project.remove());

  it("ends and says why when the worker dies that was to answer", async () => {
    project.installOurs();
    const [, recipe] = textOf("docs/mapreduce.md").split(
      "## An event that needs another one's answer\n",
    );
    project.write("program.js", blocksOf(recipe)[0].code);
    const args = [
      "--require",
      path.join(__dirname, "..", "fixtures/crash/killed-in-event.js"),
      "program.js",
    ];
    const end = await runCommand(process.execPath, args, {
      cwd: project.folder,
      env: { QUIET: "1" },
    });
    assert.match(end.stderr, /^the first event failed: .*SIGKILL/m);
    assert.equal(end.code, 1);
    assert.equal(end.stdout, "");
  });
});
