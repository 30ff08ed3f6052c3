"use strict";
/**
 * Promise: Each example does its job on real files, with the result that a single process has, and says what is wrong
 * with its arguments. (`examples/backup` has its own spec.)
 */
const assert = require("node:assert");
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { after, before, describe, it } = require("node:test");

const { runCommand } = require("../support/command");
const { MODULES, ROOT, Workspace } = require("../support/workspace");

const WORD_COUNT = path.join(ROOT, "examples", "word-count.js");

describe("examples/word-count.js", () => {
  const texts = new Workspace("texts");
  const count = (...args) => runCommand(process.execPath, [WORD_COUNT, ...args]);
  before(() => {
    texts.write("README.md", "A raccoon, a bag.\n");
    texts.write("deep/readme", "the bag; The lady’s BAG\n");
    texts.write("deep/other.md", "not a readme\n");
    texts.write(".cache/README.md", "hidden\n");
    texts.write("empty/notes.txt", "skeletons in the closet\n");
  });
  after(() => texts.remove());

  it("counts the words of every README in a folder", async () => {
    const { code, stdout, output } = await count("--workers", "2", texts.folder);
    assert.strictEqual(code, 0, output);
    assert.match(stdout, /^ +3 {2}bag$/m);
    assert.match(stdout, /^ +2 {2}the$/m);
    assert.match(stdout, /^ +1 {2}lady’s$/m);
    assert.match(stdout, /^9 words, 5 different, in 44 bytes$/m);
    assert.match(stdout, /^verified: each of the 2 files was counted exactly once$/m);
  });

  it("counts the words of a file that is named", async () => {
    const { code, stdout, output } = await count(texts.path("empty/notes.txt"));
    assert.strictEqual(code, 0, output);
    assert.match(stdout, /^verified: each of the 1 files was counted exactly once$/m);
  });

  it("counts the READMEs of all that is installed when nothing is named", async () => {
    const { code, stdout, output } = await count();
    assert.strictEqual(code, 0, output);
    const [, files] = /^(\d+) files, \d+ of \d+ workers/m.exec(stdout);
    assert.ok(Number(files) > 100, output);
    assert.match(stdout, new RegExp(`^verified: each of the ${files} files`, "m"));
  });

  it("says so when a path does not exist", async () => {
    const { code, stderr, stdout } = await count(texts.path("nowhere"));
    assert.strictEqual(code, 1);
    assert.strictEqual(stdout, "");
    assert.strictEqual(stderr, `word-count: there is no file or folder ${texts.path("nowhere")}\n`);
  });

  it("says so when a folder has no README", async () => {
    const { code, stderr } = await count(texts.path("empty"));
    assert.strictEqual(code, 1);
    assert.strictEqual(stderr, `word-count: no README in ${texts.path("empty")}\n`);
  });

  it("fails when a file cannot be read", async () => {
    const { code, stderr } = await count(texts.path("README.md"), "/proc/self/mem");
    assert.strictEqual(code, 1);
    assert.match(stderr, /^failed: \/proc\/self\/mem: /m);
    assert.match(stderr, /^counted 0 times: \/proc\/self\/mem$/m);
  });
});

describe("examples/logs", () => {
  const { ranges, read } = require("../../examples/logs/ranges");
  const { generate } = require("../../examples/logs/generate");
  const ANALYSE = path.join(ROOT, "examples", "logs", "analyse.js");
  const texts = new Workspace("logs");
  const analyse = (...args) => runCommand(process.execPath, [ANALYSE, "--workers", "2", ...args]);
  after(() => texts.remove());

  /** Three pages, one of them slow, one request without a body, and one line that no server has written. */
  const LOG = [
    '10.0.0.1 - - [15/Jan/2026:09:59:59 +0000] "GET /constructor HTTP/1.1" 200 100 "-" "curl/8" 10',
    '10.0.0.2 - - [15/Jan/2026:10:00:00 +0000] "GET /a?q=1 HTTP/1.1" 200 1000 "-" "curl/8" 20',
    "out of disk",
    '10.0.0.3 - - [15/Jan/2026:10:00:01 +0000] "POST /a HTTP/1.1" 500 - "-" "a \\"b\\" c" 3000',
    '10.0.0.3 - - [01/Feb/2026:00:00:01 +0000] "GET /__proto__ HTTP/1.1" 404 7 "-" "curl/8" 30',
  ].join("\n");

  it("counts what is in a log, whatever its ranges", async () => {
    const log = texts.write("small.log", LOG);
    for (const range of [1, 100, 150, 1e6]) {
      const { code, stdout, output } = await analyse("--range", String(range), "--check", log);
      assert.strictEqual(code, 0, output);
      assert.match(stdout, /^5 requests, 1 malformed lines, 1107 bytes sent$/m);
      assert.match(stdout, /^durations: p50 20 ms, p90 3000 ms, p99 3000 ms$/m);
      assert.match(stdout, /^statuses: 200: 2, 404: 1, 500: 1$/m);
      assert.match(stdout, /^ +2 {2}\/a\n +1 {2}\/__proto__\n +1 {2}\/constructor$/m);
      const hours =
        /^ +100 {2}15\/Jan\/2026:09:00\n +1000 {2}15\/Jan\/2026:10:00\n +7 {2}01\/Feb\/2026:00:00$/m;
      assert.match(stdout, hours);
      assert.match(stdout, /^verified: both count the same$/m);
    }
  });

  it("cuts a file where lines end, and leaves out nothing", () => {
    const log = texts.write("cut.log", `${LOG}\n\n${"long".repeat(3000)}\nno end`);
    for (const size of [1, 7, 90, 5000, 1e6]) {
      const parts = [...ranges(log, size)].map((range) => read(log, range));
      assert.strictEqual(parts.join(""), fs.readFileSync(log, "latin1"));
      assert.ok(parts.slice(0, -1).every((part) => part.endsWith("\n")));
    }
    assert.deepStrictEqual([...ranges(texts.write("empty.log", ""), 10)], []);
  });

  it("makes the same log up each time, and counts it as one process does", async () => {
    const [log, again] = ["made.log", "again.log"].map((name) => texts.path(name));
    for (const file of [log, again]) generate(file, 25_000);
    assert.ok(fs.readFileSync(log).equals(fs.readFileSync(again)));
    const { code, stdout, output } = await analyse("--range", "100000", "--check", log);
    assert.strictEqual(code, 0, output);
    assert.match(stdout, /^25000 requests, 0 malformed lines, /m);
    assert.match(stdout, /^verified: both count the same$/m);
  });

  it("says so when there is no such log", async () => {
    const { code, stderr } = await analyse(texts.path("nowhere.log"));
    assert.strictEqual(code, 1);
    assert.match(stderr, /^analyse: ENOENT.*nowhere\.log/);
  });
});

describe("examples/hash.js", () => {
  const HASH = path.join(ROOT, "examples", "hash.js");
  const files = new Workspace("hash");
  const sums = new Workspace("sums");
  const hash = (...args) => runCommand(process.execPath, [HASH, "--workers", "2", ...args]);
  before(() => {
    for (let at = 0; at < 200; at++) files.write(`many/${at % 7}/${at}.txt`, `file ${at}`);
    files.write("-", "a name of one character");
    files.write("empty", "");
    files.write("with\nnew line \\ and backslash", "odd");
    files.write("large", "0123456789".repeat(300_000));
    fs.symlinkSync("empty", files.path("link"));
  });
  after(() => {
    files.remove();
    sums.remove();
  });

  it("writes the manifest that sha256sum writes", async () => {
    const { code, stdout, stderr } = await hash(files.folder);
    assert.strictEqual(code, 0, stderr);
    const list = "find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum";
    const expected = execFileSync("sh", ["-c", list], { cwd: files.folder, encoding: "utf8" });
    const lines = (text) => text.trimEnd().split("\n").sort();
    assert.deepStrictEqual(lines(stdout), lines(expected));
    assert.match(stderr, /^204 files, 3\.0 MB /);
  });

  it("is the same as one process's, and sha256sum agrees, also where the manifest is in the folder", async () => {
    for (const out of [sums.path("SHA256SUMS"), files.path("SHA256SUMS")]) {
      const { code, stderr } = await hash("--check", "--out", out, files.folder);
      assert.strictEqual(code, 0, stderr);
      assert.match(stderr, /^verified: both manifests are the same, and sha256sum agrees$/m);
    }
    fs.rmSync(files.path("SHA256SUMS"));
  });

  it("fails when a file cannot be read, and hashes the others", async () => {
    const odd = new Workspace("odd");
    // A name that is no UTF-8 is none that JavaScript can say.
    fs.writeFileSync(Buffer.concat([Buffer.from(`${odd.folder}/`), Buffer.of(0xff)]), "");
    odd.write("fine", "");
    const { code, stdout, stderr } = await hash(odd.folder);
    odd.remove();
    assert.strictEqual(code, 1);
    assert.match(stdout, /^[0-9a-f]{64} {2}\.\/fine\n$/);
    assert.match(stderr, /^failed: \.\/\ufffd: ENOENT/m);
    assert.match(stderr, /^hash: 1 files could not be hashed$/m);
  });

  it("says so when there is no such folder", async () => {
    const { code, stderr } = await hash(files.path("nowhere"));
    assert.strictEqual(code, 1);
    assert.strictEqual(stderr, `hash: there is no folder ${files.path("nowhere")}\n`);
  });
});

describe("examples/typescript", () => {
  const project = new Workspace("typescript");
  const draw = (command, ...args) =>
    runCommand(command, [...args, "--workers", "2", "--width", "120", "--check", "picture.png"], {
      cwd: project.folder,
    });
  before(() => {
    for (const name of ["package.json", "tsconfig.json", "src"]) {
      project.copy(path.join(ROOT, "examples", "typescript", name));
    }
    project.installOurs().link("@types/node").link("undici-types");
  });
  after(() => project.remove());

  const drawn = ({ code, stdout, output }) => {
    assert.strictEqual(code, 0, output);
    assert.match(stdout, /^picture\.png: 120 x 90, 2 workers, /);
    assert.match(stdout, /^verified: both pictures are the same$/m);
    const head = fs.readFileSync(project.path("picture.png")).subarray(0, 24);
    assert.strictEqual(head.toString("latin1", 0, 8), "\x89PNG\r\n\x1a\n");
    assert.deepStrictEqual([head.readUInt32BE(16), head.readUInt32BE(20)], [120, 90]);
    fs.rmSync(project.path("picture.png"));
  };

  for (const compiler of ["typescript", "typescript-newest"]) {
    it(`is compiled by tsc and draws the picture that one process draws: ${compiler}`, async () => {
      const tsc = path.join(MODULES, compiler, "bin", "tsc");
      const compiled = await runCommand(process.execPath, [tsc], { cwd: project.folder });
      assert.strictEqual(compiled.code, 0, compiled.output);
      drawn(await draw(process.execPath, "dist/main.js"));
      fs.rmSync(project.path("dist"), { recursive: true });
    });
  }

  it("runs under tsx", async () =>
    drawn(await draw(path.join(MODULES, ".bin", "tsx"), "src/main.ts")));
});

describe("examples/opentelemetry", () => {
  it("makes a span of a run, and one in it of each event, with what became of them", async () => {
    const { code, stdout, output } = await runCommand(
      process.execPath,
      [path.join(ROOT, "examples/opentelemetry/job.js")],
      { env: { QUIET: "1" } },
    );
    assert.strictEqual(code, 0, output);
    const [run, ...rest] = stdout.trimEnd().split("\n");
    assert.strictEqual(run, "MapReduce: 4 answered, 2 failed");
    const [exits, events] = ["  worker exit", "  event"].map((what) =>
      rest.filter((line) => line.startsWith(what)),
    );
    assert.strictEqual(exits.length, 1, output);
    assert.match(exits[0], /^ {2}worker exit: worker [12], 7$/);
    const outcomes = ["answered", "answered", "error", "answered", "crash", "answered"];
    assert.strictEqual(events.length, outcomes.length);
    for (const [at, outcome] of outcomes.entries()) {
      const [, event, what, milliseconds] =
        /^ {2}event (\d): (\w+), (\d+) ms$/.exec(events[at]) || assert.fail(events[at]);
      assert.deepStrictEqual([Number(event), what], [at, outcome]);
      // As long as it ran: a timer may fire a millisecond early.
      assert.ok(Number(milliseconds) >= 10 * (at + 1) - 1, output);
    }
  });
});
