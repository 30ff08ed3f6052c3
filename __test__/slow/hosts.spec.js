"use strict";
/**
 * Promise: Under a test runner, a pool, a thread or another runtime the call works, or it rejects at once and names the
 * host and the way out, and that way works. A test run never passes with nothing run.
 *
 * Each test starts the real tool in a folder outside the tree, with the package installed as npm installs it. Only
 * Electron is simulated: its binary is not an npm package.
 */
const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { after, before, describe, it } = require("node:test");

const { RUNNER_LIMIT, runCommand, runToSuccess } = require("../support/command");
const { nodeOfLine } = require("../support/node-lines");
const { tool } = require("../support/tools");
const { MODULES, Workspace } = require("../support/workspace");

const FIXTURES = path.join(__dirname, "..", "fixtures", "hosts");
const EXPECTED = { total: 385, inMaster: false, failed: 0 };
const RESULT = JSON.stringify(EXPECTED);

/** The line of Node whose test runner can do without processes of its own. */
const RUNS_TESTS_TOGETHER = 24;

const script = (name) => path.join("node_modules", name);
const lines = (text, line) => text.split("\n").filter((one) => one === line).length;

describe("ava", () => {
  const project = workspace("ava", ["ava"]);
  for (const [where, options] of Object.entries({
    processes: ["--no-worker-threads"],
    threads: [],
  })) {
    it(`gets a rejection that names it, and works by the way out or a worker file, in its ${where}`, async () => {
      const { output } = await project.run([
        script("ava/entrypoints/cli.mjs"),
        `--timeout=${RUNNER_LIMIT}ms`,
        ...options,
        "ava.test.mjs",
      ]);
      assert.match(output, /4 tests passed/);
    });
  }
});

for (const [name, link] of Object.entries({
  "mocha 12": undefined,
  "mocha 9": path.join(MODULES, "mocha"),
})) {
  describe(name, () => {
    const project = workspace("mocha", link ? [] : ["mocha"]);
    if (link) before(() => project.link("mocha", link));
    const mocha = fs.existsSync(path.join(link ?? "", "bin/mocha"))
      ? "mocha/bin/mocha"
      : "mocha/bin/mocha.js";

    it("gets a rejection that names it, and works by the way out, with --parallel", async () => {
      const { output } = await project.run([
        script(mocha),
        `--timeout=${RUNNER_LIMIT}`,
        "--parallel",
        "--jobs=2",
        "mocha.spec.js",
      ]);
      assert.match(output, /2 passing/);
    });
    it("gets an error that says where it ends workers, with --exit", async () => {
      const { output } = await project.run([
        script(mocha),
        `--timeout=${RUNNER_LIMIT}`,
        "--exit",
        "mocha-exit.spec.js",
      ]);
      assert.match(output, /1 passing/);
    });
  });
}

describe("jasmine", () => {
  const project = workspace("jasmine", ["jasmine"]);
  it("gets a rejection that names it, and works by the way out", async () => {
    const { output } = await project.run([
      script("jasmine/bin/jasmine.js"),
      "--random=false",
      "jasmine.spec.js",
    ]);
    assert.match(output, /2 specs, 0 failures/);
  });
  it("gets a rejection with --parallel, where its processes are workers", async () => {
    const args = [script("jasmine/bin/jasmine.js"), "--parallel=2", "jasmine-parallel.spec.js"];
    const { output } = await project.run(args);
    assert.match(output, /1 spec, 0 failures/);
  });
});

describe("lab", () => {
  const project = workspace("lab", ["@hapi/lab"]);
  it("gets a rejection that names it, and works by the way out", async () => {
    const { output } = await project.run([script("@hapi/lab/bin/lab"), "--leaks", "lab.js"]);
    assert.match(output, /2 tests complete/);
  });
});

describe("tap", () => {
  const project = workspace("tap", ["tap"]);
  it("gets a rejection that names it, and works by the way out", async () => {
    const bin = path.relative(
      project.folder,
      path.join(await tool("tap"), "../@tapjs/run/dist/esm/index.js"),
    );
    const { output } = await project.run([
      bin,
      "--disable-coverage",
      "--reporter=tap",
      "tap.test.js",
    ]);
    assert.match(output, /^# \{ total: 2, pass: 2 \}$/m);
  });
});

describe("Playwright Test", () => {
  const project = workspace("playwright", ["@playwright/test"]);
  it("gets a rejection that names it, and works by the way out", async () => {
    const args = [
      script("@playwright/test/cli.js"),
      "test",
      "--reporter=line",
      "playwright.spec.js",
    ];
    assert.match((await project.run(args)).output, /2 passed/);
  });
});

describe("tape and uvu", () => {
  const project = workspace("tape", ["tape", "uvu"]);
  it("are re-run by the workers: tape", async () => {
    const { stdout } = await project.run([script("tape/bin/tape"), "tape.js"]);
    assert.strictEqual(lines(stdout, RESULT), 1, stdout);
  });
  it("are re-run by the workers: uvu", async () => {
    const { stdout } = await project.run([script("uvu/bin.js"), ".", "^uvu.js$"]);
    assert.strictEqual(lines(stdout, RESULT), 1, stdout);
  });
});

describe("node --test without isolation", () => {
  const project = workspace("isolation", []);
  it("gets a rejection that names it, and works by the way out", async () => {
    const node = await nodeOfLine(RUNS_TESTS_TOGETHER);
    const args = ["--test", "--test-isolation=none", "--test-reporter=tap", "isolation.test.mjs"];
    const { output } = await project.run(args, { node });
    assert.match(output, /^# pass 2$/m);
  });
});

describe("vite-node", () => {
  const project = workspace("vite-node", ["vite-node"]);
  for (const options of [[], ["--script"]]) {
    it(`gets a rejection that names it, and works by the way out ${options}`, async () => {
      const args = [
        script("vite-node/dist/cli.mjs"),
        ...options,
        "program.mts",
        "vite-node",
        "exec",
      ];
      assert.strictEqual(lines((await project.run(args)).stdout, RESULT), 1);
    });
  }
});

describe("jiti", () => {
  const project = workspace("jiti", ["jiti"]);
  it("gets a rejection that names it, and works by the way out", async () => {
    const args = [script("jiti/lib/jiti-cli.mjs"), "program.mts", "jiti", "exec"];
    assert.strictEqual(lines((await project.run(args)).stdout, RESULT), 1);
  });
  it("runs a program as a loader, as the rejection says", async () => {
    project.copy(path.join(__dirname, "..", "fixtures/runners/program.ts"), "squares.mts");
    const { stdout } = await project.run(["--import", "jiti/register", "squares.mts"]);
    assert.strictEqual(lines(stdout, RESULT), 1, stdout);
  });
});

describe("pools of processes and threads", () => {
  const project = workspace("pools", ["jest-worker", "piscina", "tinypool", "workerpool"]);
  const places = {
    "jest-worker": ["process", "thread"],
    piscina: ["thread"],
    tinypool: ["process", "thread"],
    workerpool: ["process"],
  };
  for (const [name, wheres] of Object.entries(places)) {
    for (const where of wheres) {
      it(`get a rejection that names them, and work by the way out: ${name}, in a ${where}`, async () => {
        const { stdout } = await project.run(["pools.cjs", name, where]);
        assert.strictEqual(lines(stdout, "both"), 1);
      });
    }
  }
});

describe("threads", () => {
  const project = workspace("threads", []);
  it("work where their file is a program", async () => {
    const { stdout } = await project.run(["threads.cjs", "a file that is a program"]);
    assert.strictEqual(lines(stdout, RESULT), 1, stdout);
  });
  it("get a rejection where they have no file", async () => {
    const { stdout } = await project.run(["threads.cjs", "text"]);
    assert.match(
      stdout,
      /^ERR_SONIC_NO_SCRIPT .*a thread that was made of text.*setupPrimary\(\{ exec: /,
    );
  });
  it("work by the way out where they have no file", async () => {
    const { stdout } = await project.run(["threads.cjs", "text, with a program"]);
    assert.strictEqual(lines(stdout, RESULT), 1, stdout);
  });
  it("do not multiply where workers start them again", async () => {
    const { stdout, seconds } = await project.fails(["threads.cjs", "the program's own file"]);
    const said = stdout.split("\n").filter((line) => line.startsWith("ERR_"));
    const ofMaster = said.filter((line) => line.startsWith("ERR_SONIC_WORKER_START"));
    assert.match(
      ofMaster.join(),
      /the call is in a thread, whose file the workers run as a program.* without reaching the call at /,
    );
    const ofWorkers = said.filter((line) =>
      /^ERR_SONIC_RUNNER .*in a thread of a worker/.test(line),
    );
    assert.strictEqual(ofWorkers.length, said.length - 1);
    assert.ok(said.length <= 7, "two workers, three attempts each, and the master");
    assert.ok(seconds < 30, "and not when the time to come up is over");
  });
});

describe("other runtimes", () => {
  const project = workspace("runtimes", []);
  const rejects = async (binary, args) => {
    const { stdout } = await project.run(args, { node: binary });
    assert.strictEqual(lines(stdout, "REJECTED"), 1, stdout);
  };

  const onLinux = { skip: process.platform !== "linux" || process.arch !== "x64" };
  it("get a rejection that names them: Bun", onLinux, async () => {
    const binary = path.join(await tool("@oven/bun-linux-x64-baseline"), "bin/bun");
    await rejects(binary, ["program.cjs", "Bun", "with node"]);
  });
  it("get a rejection that names them: Deno", onLinux, async () => {
    const binary = path.join(await tool("@deno/linux-x64-glibc"), "deno");
    await rejects(binary, ["run", "-A", "program.cjs", "Deno", "with node"]);
  });
  it("get a rejection that names them: Electron", () =>
    rejects(process.execPath, ["-r", "./electron.js", "program.cjs", "Electron", "child_process"]));
  it("work as Node where Electron runs as that", async () => {
    const env = { ELECTRON_RUN_AS_NODE: "1" };
    project.copy(path.join(__dirname, "..", "fixtures/runners/program.cjs"), "squares.cjs");
    const { stdout } = await project.run(["-r", "./electron.js", "squares.cjs"], { env });
    assert.strictEqual(lines(stdout, RESULT), 1, stdout);
  });
  it("get a rejection that names them: a single executable", onLinux, async () => {
    const config = { main: "sea.cjs", output: "sea.blob", disableExperimentalSEAWarning: true };
    project.write("sea.json", JSON.stringify(config));
    await project.run(["--experimental-sea-config", "sea.json"]);
    const binary = project.copy(process.execPath, "program");
    fs.chmodSync(binary, 0o755);
    const fuse = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";
    const postject = path.join(await tool("postject"), "dist/cli.js");
    await project.run([postject, "program", "NODE_SEA_BLOB", "sea.blob", "--sentinel-fuse", fuse]);
    await rejects(binary, []);
  });
});

/** A project with the package and these tools, made before the tests, gone after. */
function workspace(name, tools) {
  const project = new Workspace(name);
  before(async () => {
    for (const file of fs.readdirSync(FIXTURES)) project.copy(path.join(FIXTURES, file));
    for (const file of ["squares.js", "pool-tests.js", "pool-stages.js"]) {
      project.copy(path.join(__dirname, "..", "fixtures/runners", file));
    }
    project.write("package.json", '{ "private": true }\n');
    project.installOurs();
    for (const one of tools) project.link(one, await tool(one));
  });
  after(() => project.remove());

  const options = (env) => ({ cwd: project.folder, env: { QUIET: "true", NO_COLOR: "1", ...env } });
  const run = (args, { node = process.execPath, env = {} } = {}) =>
    runToSuccess(node, args, options(env));
  const fails = async (args) => {
    const end = await runCommand(process.execPath, args, options({}));
    assert.notStrictEqual(end.code, 0, end.output);
    return end;
  };
  return Object.assign(project, { run, fails });
}
