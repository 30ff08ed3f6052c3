"use strict";
/**
 * Promise: Whatever runs the program also runs its workers: plain Node with every kind of module, Node that strips
 * types, ts-node with and without tsconfig-paths, tsx, mocha, node:test. Under jest and vitest, which cannot be re-run,
 * the call says so at once and names the way out, and that way works.
 *
 * Each test starts the real runner in a folder outside the tree, with the package installed as npm installs it.
 */
const assert = require("node:assert");
const path = require("node:path");
const { after, before, describe, it } = require("node:test");

const { RUNNER_LIMIT, runToSuccess } = require("../support/command");
const { nodeOfLine } = require("../support/node-lines");
const { MODULES, Workspace } = require("../support/workspace");

const FIXTURES = path.join(__dirname, "..", "fixtures", "runners");
const EXPECTED = { total: 385, inMaster: false, failed: 0 };

/** The line of Node that runs TypeScript by itself, by stripping the types. */
const STRIPS_TYPES = 24;

/** A runner's script, to be run by the Node that runs this spec. */
const script = (name) => path.join("node_modules", name);
const TS_NODE = script("ts-node/dist/bin.js");
const TSX = script("tsx/dist/cli.mjs");

describe("plain Node", () => {
  const project = workspace("node", []);

  it("runs a CommonJS program", () => project.adds(["program.cjs"]));
  it("runs an ES module", () => project.adds(["program.mjs"]));
  it("runs a CommonJS program with flags of Node's", () =>
    project.adds(["--enable-source-maps", "--max-old-space-size=200", "program.cjs"]));
});

describe("Node that strips types", () => {
  const project = workspace("strip", []);
  let node;
  before(async () => {
    node = await nodeOfLine(STRIPS_TYPES);
  });

  it("runs .ts", () => project.adds(["program.ts"], { node }));
  it("runs .cts", () => project.adds(["program.cts"], { node }));
  it("runs a worker file", () => project.adds(["typed-pool.ts"], { node }));
  it("runs .mts", () => {
    project.copy(path.join(FIXTURES, "program.ts"), "program.mts");
    return project.adds(["program.mts"], { node });
  });
});

describe("ts-node", () => {
  const project = workspace("ts-node", ["ts-node", "typescript", "@types/node"]);

  it("runs a program by its command", () => project.adds([TS_NODE, "program.ts"]));
  it("runs a program by its command, with options", () =>
    project.adds([TS_NODE, "--transpile-only", "--cwd", ".", "program.ts"]));
  it("runs a program by node -r ts-node/register", () =>
    project.adds(["-r", "ts-node/register", "program.ts"]));
  it("runs a worker file", () => project.adds(["-r", "ts-node/register", "typed-pool.ts"]));

  it("gives workers what it has compiled in the master, and nothing else changes by that", async () => {
    project.copy(path.join(FIXTURES, "checked"), "checked");
    const args = ["-r", "ts-node/register", "checked/program.ts"];
    const { stdout } = await runToSuccess(process.execPath, args, {
      cwd: project.folder,
      env: { QUIET: "1" },
    });
    const { responses, errors } = JSON.parse(stdout);
    const { compile, ...rest } = responses.process;
    assert.strictEqual(compile, "compileUnlessKnown");
    assert.deepStrictEqual(rest, { execArgv: ["-r", "ts-node/register"], variables: [] });
    // Positions are those of the sources; a new file may need types of one that was not compiled here.
    assert.match(errors.fails, /Error: thrown here\n\s+at .*program\.ts:6:9/);
    assert.deepStrictEqual(responses.later, { value: 2 });
    assert.match(errors.wrong, /wrong\.ts.*TS2322/s);
  });
});

describe("ts-node as a loader of ES modules", () => {
  const project = workspace("ts-node-esm", ["ts-node", "typescript", "@types/node"]);

  before(() => {
    project.write("package.json", '{ "private": true, "type": "module" }\n');
    const compilerOptions = { module: "esnext", moduleResolution: "node", target: "es2019" };
    project.write("tsconfig.json", JSON.stringify({ compilerOptions }));
  });

  it("runs a program by node --loader ts-node/esm", () =>
    project.adds(["--no-warnings", "--loader", "ts-node/esm", "program.ts"]));
  it("runs a worker file", () =>
    project.adds(["--no-warnings", "--loader", "ts-node/esm", "typed-pool.ts"]));
});

describe("ts-node with tsconfig-paths", () => {
  const installed = ["ts-node", "tsconfig-paths", "typescript", "@types/node"];
  const project = workspace("paths", installed, "alias");

  it("runs a program by node -r, and the workers find the alias", () =>
    project.adds(["-r", "ts-node/register", "-r", "tsconfig-paths/register", "program.ts"]));
  it("runs a program by the command of ts-node, and the workers find the alias", () =>
    project.adds([TS_NODE, "-r", "tsconfig-paths/register", "program.ts"]));
  it("compiles what a worker of a plain JS program requires", () =>
    project.adds(["program.js", "./stages/square.ts"]));
  it("compiles it on a Node that strips types, too: the file has more than types", async () => {
    const node = await nodeOfLine(STRIPS_TYPES);
    await project.adds(["program.js", "./stages/square.ts"], { node });
  });
  it("finds the alias that a worker of a plain JS program requires", () =>
    project.adds(["program.js", "@stages/square"]));
});

describe("tsx", () => {
  const project = workspace("tsx", ["tsx"]);

  it("runs a program by its command", () => project.adds([TSX, "program.ts"]));
  it("runs an ES module by its command", () => {
    project.copy(path.join(FIXTURES, "program.ts"), "program.mts");
    return project.adds([TSX, "program.mts"]);
  });
  it("runs a program by node --import tsx", () => project.adds(["--import", "tsx", "program.ts"]));
  it("runs a worker file", () => project.adds([TSX, "typed-pool.ts"]));
  it("runs a worker file by node --import tsx", () =>
    project.adds(["--import", "tsx", "typed-pool.ts"]));
});

const MOCHA = [script("mocha/bin/mocha"), "--timeout", `${RUNNER_LIMIT}`];

describe("mocha", () => {
  const project = workspace("mocha", ["mocha"]);

  it("runs a test file, and so do the workers", async () => {
    const { stdout } = await project.adds([...MOCHA, "mocha.spec.js"]);
    assert.strictEqual(stdout.match(/1 passing/g).length, 3, "one master and two workers");
  });
  it("runs a pool with a worker file or in its own process, and refuses others", async () => {
    const { output } = await project.run([...MOCHA, "mocha-pool.spec.js"]);
    assert.match(output, /^ +3 passing/m);
  });
});

describe("node:test", () => {
  const project = workspace("node-test", []);

  it("runs a test file by itself, and so do the workers", () =>
    project.adds(["node-test.test.js"]));
  it("runs a test file by node --test", async () => {
    const args = ["--test", "--test-reporter=tap", "node-test.test.js"];
    const { stdout } = await project.run(args);
    assert.match(stdout, /^ok \d+ - squares are added up$/m);
    assert.match(stdout, /^# fail 0$/m);
    const reports = [...stdout.matchAll(/^# (\{.*)$/gm)].map(([, line]) => JSON.parse(line));
    assert.deepStrictEqual(reports, [EXPECTED], "the master's result, once");
  });
});

describe("jest", () => {
  const project = workspace("jest", ["jest"]);
  const jest = async (tests, ...options) => {
    const cache = ["--cacheDirectory", project.path("cache")];
    const own = ["--watchman=false", `--testTimeout=${RUNNER_LIMIT}`, ...cache, "--testMatch"];
    const files = tests.map((test) => `**/jest/${test}.test.js`);
    const args = [script("jest/bin/jest.js"), ...options, ...own, ...files];
    const { output } = await project.run(args);
    assert.match(
      output,
      new RegExp(`^Tests: +${tests.length} passed, ${tests.length} total$`, "m"),
    );
  };

  it("gets a rejection that names it and the way out", () => jest(["rejects"], "--runInBand"));
  it("works by the way out", () => jest(["way-out"], "--runInBand"));
  it("runs a pool with a worker file or in its own process, and refuses others", () =>
    jest(["pool"], "--runInBand"));

  // It starts them for a second file only.
  const places = { "child processes": ["--maxWorkers=2"], threads: ["-w=2", "--workerThreads"] };
  for (const [where, options] of Object.entries(places)) {
    it(`gets a rejection that names it and the way out, in its ${where}`, () =>
      jest(["rejects", "other"], ...options));
    it(`works by the way out, in its ${where}`, () => jest(["way-out", "other"], ...options));
    it(`runs a pool with a worker file or in its own process, and refuses others, in its ${where}`, () =>
      jest(["pool", "other"], ...options));
  }
});

describe("vitest", () => {
  const project = workspace("vitest", ["vitest"]);
  const vitest = async (test, pool) => {
    const { output } = await project.run([
      script("vitest/vitest.mjs"),
      "run",
      test,
      "--pool",
      pool,
      `--testTimeout=${RUNNER_LIMIT}`,
      `--hookTimeout=${RUNNER_LIMIT}`,
    ]);
    assert.match(output, /Tests +1 passed \(1\)/);
  };

  for (const pool of ["forks", "threads"]) {
    it(`gets a rejection that names it and the way out, in its ${pool}`, () =>
      vitest("vitest/rejects", pool));
    it(`works by the way out, in its ${pool}`, () => vitest("vitest/way-out", pool));
    it(`runs a pool with a worker file or in its own process, and refuses others, in its ${pool}`, () =>
      vitest("vitest/pool", pool));
  }
});

/** A project with the package and nothing else but `modules`, made before the tests, gone after. */
function workspace(name, modules, fixtures = ".") {
  const project = new Workspace(name);
  before(() => {
    project.copy(path.join(FIXTURES, fixtures), ".");
    project.write("package.json", '{ "private": true }\n');
    project.installOurs();
    for (const module of modules) project.link(module, path.join(MODULES, module));
  });
  after(() => project.remove());

  const run = (args, { node = process.execPath } = {}) =>
    runToSuccess(node, args, { cwd: project.folder, env: { QUIET: "true", NO_COLOR: "1" } });

  /** @returns {Promise<any>} */
  const adds = async (args, options) => {
    const end = await run(args, options);
    const reports = end.stdout.split("\n").filter((line) => line.startsWith("{"));
    assert.deepStrictEqual(
      reports.map((line) => JSON.parse(line)),
      [EXPECTED],
      end.output,
    );
    return end;
  };
  return Object.assign(project, { run, adds });
}
