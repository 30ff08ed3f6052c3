"use strict";
/**
 * Promise: The command line prints what it can do, what is wrong with its arguments, and what stops the package from
 * working on this machine. (`slow/package.spec.js` checks that it works once installed.)
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { after, describe, it } = require("node:test");

const { runCommand } = require("./support/command");
const { ROOT, Workspace } = require("./support/workspace");

const CLI = path.join(ROOT, "bin", "sonic-distribute.js");

describe("the command line", () => {
  const texts = new Workspace("cli");
  after(() => texts.remove());
  const cli = (args, options) =>
    runCommand(process.execPath, [CLI, ...args], { cwd: texts.folder, ...options });

  it("shows what there is", async () => {
    const { code, stdout } = await cli(["--help"]);
    assert.equal(code, 0);
    assert.match(stdout, /doctor/);
    assert.match(stdout, /init \[FILE\]/);
  });

  for (const option of ["-v", "--version"]) {
    it(`tells its version: ${option}`, async () => {
      const { code, stdout } = await cli([option]);
      assert.equal(code, 0);
      assert.equal(stdout, `${require("../package.json").version}\n`);
    });
  }

  for (const [given, meant] of [
    ["docter", "doctor"],
    ["inti", "init"],
    ["help", "--help"],
    ["--versoin", "--version"],
  ]) {
    it(`suggests what may have been meant: ${given}`, async () => {
      const { code, stderr } = await cli([given]);
      assert.equal(code, 2);
      assert.ok(
        stderr.startsWith("sonic-distribute: there is no ") &&
          stderr.includes(`${given}: did you mean ${meant}?\n`),
        stderr,
      );
    });
  }

  for (const args of [
    [],
    ["docter"],
    ["doctor", "now"],
    ["init", "a.js", "b.js"],
    ["init", "a.py"],
    ["init", "job"],
    ["constructor"],
    ["doctor", "--fast"],
    ["init", "-x"],
    ["--toString"],
  ]) {
    it(`refuses what it does not understand: ${args.join(" ") || "nothing"}`, async () => {
      const { code, stdout, stderr } = await cli(args);
      assert.equal(code, 2);
      assert.equal(stdout, "");
      assert.match(
        stderr,
        args.length === 0 ? /^npx / : new RegExp(`^sonic-distribute: .*${args[args.length - 1]}`),
      );
      assert.deepEqual(fs.readdirSync(texts.folder), []);
    });
  }

  it("never writes over a file", async () => {
    texts.write("mine.js", "mine");
    const { code, stderr } = await cli(["init", "mine.js"]);
    assert.equal(code, 1);
    assert.equal(stderr, "sonic-distribute: mine.js was not written: the file already exists\n");
    assert.equal(fs.readFileSync(texts.path("mine.js"), "utf8"), "mine");
  });

  it("says that the folder is missing", async () => {
    const { code, stderr } = await cli(["init", "nowhere/mine.js"]);
    assert.equal(code, 1);
    assert.equal(
      stderr,
      "sonic-distribute: nowhere/mine.js was not written: there is no folder nowhere; make it first: mkdir -p nowhere\n",
    );
  });

  it("says which platform was found, and which there are", async () => {
    texts.write(
      "elsewhere.js",
      'Object.defineProperty(process, "platform", { value: "plan9" });\n',
    );
    const code = `try { require(${JSON.stringify(path.join(ROOT, "lib/shared/native"))}).native() } catch (e) { console.log(e.code, e.message) }`;
    const { stdout } = await runCommand(
      process.execPath,
      ["-r", texts.path("elsewhere.js"), "-e", code],
      {
        cwd: texts.folder,
      },
    );
    assert.match(stdout, /^ERR_SONIC_NO_BINARY .*has no native binary for plan9-/);
    assert.match(
      stdout,
      /There are binaries for linux-x64, linux-arm64, darwin-x64, darwin-arm64, win32-x64, on Linux with glibc or musl\./,
    );
  });

  it("loads the binary of the platform that runs, of whose packages there may be several", async () => {
    for (const name of fs.readdirSync(path.join(ROOT, "npm"))) {
      texts.write(
        `node_modules/@tiemma/sonic-distribute-${name}/index.js`,
        `module.exports = "${name}";\n`,
      );
    }
    texts.copy(path.join(ROOT, "lib/shared"), "lib/shared");
    texts.write(
      "played.js",
      `const [platform, arch, libc] = process.argv[2].split("-");
       Object.defineProperty(process, "platform", { value: platform });
       Object.defineProperty(process, "arch", { value: arch });
       require("fs").existsSync = (file) => libc === "musl" && file.startsWith("/lib/ld-musl-");
       console.log(require("./lib/shared/native").native());\n`,
    );
    for (const name of fs.readdirSync(path.join(ROOT, "npm"))) {
      const { stdout, stderr } = await runCommand(
        process.execPath,
        [texts.path("played.js"), name],
        { cwd: texts.folder },
      );
      assert.equal(stdout.trim(), name, stderr);
    }
  });

  it("compares two reports", async () => {
    const { pageOf } = require("../lib/master/report");
    const { recorded } = require("./support/recorded");
    const percentiles = { p50: 1, p90: 2, p99: 3, max: 4 };
    for (const [name, events] of /** @type {[string, number][]} */ ([
      ["one.html", 10],
      ["other.html", 30],
    ])) {
      const record = recorded({ events, failing: 0, workers: 1 });
      record.workers[0].memory = 2 ** 26;
      record.statistics = {
        answered: events,
        nothing: 0,
        failed: 0,
        retried: 0,
        crashes: 0,
        run: percentiles,
        wait: percentiles,
        workers: [{ busy: 1 }],
      };
      texts.write(name, pageOf(record));
    }
    const { code, stdout } = await cli(["compare", "one.html", "other.html"]);
    assert.equal(code, 0);
    assert.match(stdout, /^events +10 +30 +3 x$/m);
    assert.match(stdout, /^run time, p99 +3 ms +3 ms$/m);
    assert.match(stdout, /^most memory of a worker +64 MiB +64 MiB$/m);
    const wrong = await cli(["compare", "one.html", "none.html"]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /^sonic-distribute: none\.html cannot be read: /);
    texts.write("page.html", "<html></html>");
    const none = await cli(["compare", "page.html", "one.html"]);
    assert.match(none.stderr, /^sonic-distribute: page\.html is no report of this package/);
    assert.equal((await cli(["compare", "one.html"])).code, 2);
  });

  it("has a doctor who finds a binary that does not load", async () => {
    const broken = texts.path("broken.node");
    texts.write("broken.node", "no binary");
    const { code, stdout } = await cli(["doctor"], {
      env: { NAPI_RS_NATIVE_LIBRARY_PATH: broken },
    });
    assert.equal(code, 1);
    assert.match(stdout, /^FAILED +binary +.*has no native binary for /m);
    assert.doesNotMatch(stdout, /self-test/);
    assert.match(stdout, /^this machine cannot run the package/m);
  });

  it("has a doctor who tells how many processors may be used", {
    skip: process.platform !== "linux",
  }, async () => {
    const shell = `exec taskset --cpu-list 0 "${process.execPath}" "${CLI}" doctor`;
    const { code, stdout } = await runCommand("sh", ["-c", shell], { cwd: texts.folder });
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^(ok|note) +processors +1\b.*: the default of numWorkers$/m);
    assert.match(stdout, /^(ok|note) +memory +\d+ MiB/m);
    assert.match(stdout, /^ok +seccomp /m);
  });

  it("has a doctor who finds that too few files may be open", async () => {
    const shell = `ulimit -n 36 && exec "${process.execPath}" "${CLI}" doctor`;
    const { code, stdout } = await runCommand("sh", ["-c", shell], { cwd: texts.folder });
    assert.equal(code, 1);
    assert.match(stdout, /^FAILED +open files +36 \(ulimit -n\)/m);
  });
});
