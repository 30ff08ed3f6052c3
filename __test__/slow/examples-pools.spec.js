"use strict";
/**
 * Promise: Each example with a pool does its job, with the result that a single process has, also when its workers are
 * killed while they run.
 */
const assert = require("node:assert/strict");
const { once } = require("node:events");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { after, afterEach, before, describe, it } = require("node:test");

const { runCommand } = require("../support/command");
const { killAt } = require("../support/kill-at");
const { RunningServer } = require("../support/server");
const { tool } = require("../support/tools");
const { ROOT, Workspace } = require("../support/workspace");

const EXAMPLES = path.join(ROOT, "examples");

describe("examples/k-means.js", () => {
  const scratch = new Workspace("k-means");
  after(() => scratch.remove());

  const SMALL = [path.join(EXAMPLES, "k-means.js"), "--points", "20000", "--workers", "2"];
  const cluster = (...args) => runCommand(process.execPath, args);
  const centroidsOf = (stdout) => stdout.split("\n").slice(0, 8);

  it("finds the centroids that one process finds, and keeps each chunk in one process", async () => {
    const { code, stdout, output } = await cluster(...SMALL, "--check");
    assert.equal(code, 0, output);
    assert.match(stdout, /^20000 points, 10 iterations, 2 workers: /m);
    assert.match(stdout, /^verified: one process finds the same centroids, to the last digit$/m);
    assert.match(
      stdout,
      /^verified: 2 processes served all iterations, and made each chunk once$/m,
    );
    for (const line of centroidsOf(stdout)) assert.match(line, /^(-?\d+\.\d{4}( {2}|$)){4}/);
  });

  it("finds the same ones when a worker dies in the midst of it, and says that chunks were made again", async () => {
    const kill = scratch.write("kill.js", killAt(20, scratch.path("died")));
    const whole = await cluster(...SMALL);
    const { code, stdout, stderr, output } = await cluster("-r", kill, ...SMALL, "--check");
    assert.ok(fs.existsSync(scratch.path("died")), output);
    assert.deepEqual(centroidsOf(stdout), centroidsOf(whole.stdout));
    assert.match(stdout, /^verified: one process finds the same centroids, to the last digit$/m);
    assert.match(stderr, /^k-means: chunk \d+ was in 2 processes$/m);
    assert.equal(code, 1);
  });

  it("says so when an argument is wrong", async () => {
    const { code, stderr } = await cluster(SMALL[0], "--points", "many");
    assert.equal(code, 1);
    assert.equal(stderr, "k-means: --points needs a positive integer\n");
  });
});

describe("examples/crawler.js", () => {
  const scratch = new Workspace("crawler");
  const CRAWLER = [path.join(EXAMPLES, "crawler.js"), "--workers", "2"];
  const crawl = (...args) => runCommand(process.execPath, args);

  /** A small site with circles, and with links that are not to be followed. */
  const PAGES = {
    "/": '<title>Home</title><a href="/a">a</a><a class="x" href="b#top">b</a><a href="b#end">b</a>',
    "/a": '<a href="/">home</a><a href="mailto:me@example.org">mail</a><a href="http://">nothing</a>',
    "/b": '<a href="http://localhost:1/">elsewhere</a><a href="/a">a</a><a href="/b">b</a>',
    "/broken": '<a href="/missing">missing</a><a href="/a">a</a>',
  };
  let server;
  let requests;
  before(async () => {
    server = http.createServer(({ url }, response) => {
      requests.push(url);
      if (PAGES[url] === undefined) response.writeHead(404);
      response.end(PAGES[url]);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  after(() => {
    server.close();
    scratch.remove();
  });
  const site = (page) => `http://127.0.0.1:${server.address().port}${page}`;

  it("reads every page of a site once, and ends", async () => {
    requests = [];
    const { code, stdout, output } = await crawl(...CRAWLER, site("/"));
    assert.equal(code, 0, output);
    assert.match(stdout, /^3 pages, 10 words$/m);
    assert.deepEqual(requests.sort(), ["/", "/a", "/b"]);
  });

  it("fails when a page cannot be read, and reads the others", async () => {
    requests = [];
    const { code, stdout, stderr } = await crawl(...CRAWLER, site("/broken"));
    assert.equal(code, 1);
    assert.match(stdout, /^4 pages, /m);
    assert.ok(stderr.includes(`failed: ${site("/missing")}: status 404\n`), stderr);
    assert.match(stderr, /^crawler: 1 pages could not be read$/m);
  });

  it("counts each of 5,000 pages once while its workers are killed", async () => {
    // Kills the worker that asks for one of these pages first. Two deaths are all that an event with two retries bears.
    const kill = scratch.write(
      "kill.js",
      `const { fetch } = globalThis;
       globalThis.fetch = (url, ...rest) => {
         const page = new URL(url).pathname.slice(1);
         if (page !== "1000" && page !== "3000") return fetch(url, ...rest);
         try {
           require("node:fs").writeFileSync(${JSON.stringify(scratch.path("died-"))} + page, "", { flag: "wx" });
         } catch {
           return fetch(url, ...rest);
         }
         process.kill(process.pid, "SIGKILL");
       };`,
    );
    const { code, stdout, output } = await crawl("-r", kill, ...CRAWLER, "--check");
    assert.ok(fs.existsSync(scratch.path("died-1000")), output);
    assert.ok(fs.existsSync(scratch.path("died-3000")), output);
    assert.equal(code, 0, output);
    assert.match(stdout, /^5000 pages, 50000 words$/m);
    assert.match(stdout, /^verified: each of the 5000 pages was counted once$/m);
  });
});

describe("examples/checkpoint.js", () => {
  const CHECKPOINT = [path.join(EXAMPLES, "checkpoint.js"), "--workers", "2"];

  it("goes on where it was killed", async () => {
    const { code, stdout, output } = await runCommand(process.execPath, [...CHECKPOINT, "--check"]);
    assert.equal(code, 0, output);
    assert.match(stdout, /^killed; once more:$/m);
    assert.match(stdout, /^148933 primes; \d+ of 100 ranges were counted before$/m);
    assert.match(stdout, /^verified: one process counts as many$/m);
  });

  it("says so when an argument is wrong, and when the file is something else", async () => {
    const wrong = await runCommand(process.execPath, [...CHECKPOINT, "--ranges", "many"]);
    assert.deepEqual(
      [wrong.code, wrong.stderr],
      [1, "checkpoint: --ranges needs a positive integer\n"],
    );
    const other = await runCommand(process.execPath, [...CHECKPOINT, "--state", __filename]);
    assert.equal(other.code, 1);
    assert.match(other.stderr, /^checkpoint: options.checkpoint: .* is no checkpoint/);
  });
});

describe("examples/nightly.js", () => {
  const scratch = new Workspace("nightly");
  after(() => scratch.remove());
  const NIGHTLY = [path.join(EXAMPLES, "nightly.js"), "--workers", "2", "--customers", "2000"];
  const nightly = (...args) => runCommand(process.execPath, args);

  const check = ({ code, stdout, output }, crashes) => {
    assert.equal(code, 0, output);
    assert.match(stdout, /^batch: 2000 customers, \d+ in total$/m);
    assert.match(stdout, /^interactive: 20 customers, \d+ in total, [\d.]+ ms each$/m);
    for (const role of ["batch", "interactive"])
      assert.ok(stdout.includes(`verified: one process gets the same scores as ${role}\n`), output);
    assert.ok(stdout.includes(`pool: 2020 scores, ${crashes} crashes\n`), output);
  };

  it("scores all customers, and those that are asked for meanwhile", async () => {
    check(await nightly(...NIGHTLY, "--check"), 0);
  });

  it("does so when a worker dies", async () => {
    const kill = scratch.write("kill.js", killAt(100, scratch.path("died")));
    const outcome = await nightly("-r", kill, ...NIGHTLY, "--check");
    assert.ok(fs.existsSync(scratch.path("died")), outcome.output);
    check(outcome, 1);
  });

  it("says so when an argument is wrong, and when no pool listens", async () => {
    const wrong = await nightly(NIGHTLY[0], "--customers", "many");
    assert.equal(wrong.code, 1);
    assert.equal(wrong.stderr, "nightly: --customers needs a positive integer\n");
    const none = await nightly(...NIGHTLY, "--role", "batch", "--socket", scratch.path("none"));
    assert.equal(none.code, 1);
    assert.match(
      none.stderr,
      /^nightly: connectPool: cannot connect to .*none: there is no such socket/,
    );
  });
});

describe("examples/server", () => {
  const project = new Workspace("server");
  let server;
  const start = async (...args) => {
    const file = path.join("server", "server.js");
    const options = ["--port", "0", "--workers", "2", ...args.filter((arg) => arg !== "killed")];
    const mark = project.path(`died-${args.join("-")}`);
    const preload = args.includes("killed")
      ? ["-r", project.write("kill.js", killAt(10, mark))]
      : [];
    server = await RunningServer.start([...preload, file, ...options], { cwd: project.folder });
  };
  const get = async (page) => {
    const response = await fetch(`${server.url}${page}`);
    return { status: response.status, body: await response.json() };
  };
  const getMany = (count, page) => Promise.all(Array.from({ length: count }, () => get(page)));
  const stop = async () => {
    server.signal("SIGINT");
    assert.deepEqual(await server.end(), { code: 0, signal: null, left: 0 }, server.stderr);
  };

  before(async () => {
    project.copy(path.join(EXAMPLES, "server"), "server");
    project.installOurs().link("fastify", await tool("fastify"));
  });
  afterEach(() => server?.kill());
  after(() => project.remove());

  it("answers 200 requests at once, and refuses what is no number", async () => {
    await start();
    for (const { status, body } of await getMany(200, "/primes/10000")) {
      assert.equal(status, 200);
      assert.deepEqual(body, { below: 10_000, primes: 1229 });
    }
    const { status, body } = await get("/primes/many");
    assert.deepEqual([status, body.code], [400, "FST_ERR_VALIDATION"]);
    const { body: health } = await get("/health");
    assert.deepEqual(health, { workers: 2, answered: 200, failed: 0, unfinished: 0, crashes: 0 });
    await stop();
  });

  it("answers all 200 requests when a worker is killed", async () => {
    await start("killed");
    for (const { status, body } of await getMany(200, "/primes/10000")) {
      assert.deepEqual([status, body.primes], [200, 1229]);
    }
    const { body: health } = await get("/health");
    assert.deepEqual([health.answered, health.failed, health.crashes], [200, 0, 1]);
    await stop();
  });

  it("answers 503 with the code of the error when nothing is tried again, and goes on", async () => {
    await start("killed", "--retries", "0");
    const answers = await getMany(200, "/primes/10000");
    const refused = answers.filter(({ status }) => status === 503);
    assert.equal(refused.length, 1);
    assert.equal(refused[0].body.code, "ERR_SONIC_WORKER_EXIT");
    assert.match(refused[0].body.message, /SIGKILL/);
    assert.equal(answers.filter(({ body }) => body.primes === 1229).length, 199);
    await stop();
  });

  for (const to of ["signal", "signalAll"]) {
    const who = to === "signal" ? "SIGINT" : "SIGINT to it and its workers, as by Ctrl-C";
    it(`answers the requests that it has after ${who}, and exits with code 0`, async () => {
      await start("--retries", "0");
      const answers = getMany(20, "/primes/3000000");
      for (;;) {
        const { answered, unfinished } = (await get("/health")).body;
        if (answered + unfinished === 20) break;
      }
      server[to]("SIGINT");
      for (const { status, body } of await answers) {
        assert.deepEqual([status, body.primes], [200, 216_816]);
      }
      assert.deepEqual(await server.end(), { code: 0, signal: null, left: 0 }, server.stderr);
    });
  }
});

describe("examples/thumbnails", () => {
  const project = new Workspace("thumbnails");
  /** Their names, and their widths after it. */
  const pictures = new Map();
  let sharp;
  const thumbnails = (...args) => runCommand(process.execPath, args, { cwd: project.folder });
  const PROGRAM = [path.join("thumbnails", "thumbnails.js"), "--workers", "2"];

  /** Each of them is there, whole, and nothing else is. */
  async function check(out) {
    const files = fs.readdirSync(project.path(out), { recursive: true, withFileTypes: true });
    assert.equal(files.filter((file) => file.isFile()).length, pictures.size);
    for (const [name, width] of pictures) {
      const source = project.path("photos", name);
      const alone = await sharp(source).resize({ width }).webp().toBuffer();
      assert.ok(alone.equals(fs.readFileSync(project.path(out, `${name}.webp`))), name);
    }
  }

  before(async () => {
    const folder = await tool("sharp");
    sharp = require(folder);
    project.copy(path.join(EXAMPLES, "thumbnails"), "thumbnails");
    project.installOurs().link("sharp", folder);
    for (let at = 0; at < 30; at++) {
      const [name, format] =
        at % 3 ? [`${at}.png`, "png"] : [path.join("deep", `${at}.JPG`), "jpeg"];
      const width = 20 * (at + 1);
      const background = { r: 8 * at, g: 9, b: 99 };
      const create = { width, height: 150, channels: 3, background };
      const picture = await sharp({ create }).toFormat(format).toBuffer();
      project.write(path.join("photos", name), picture);
      pictures.set(name, Math.min(width, 100));
    }
    project.write("photos/notes.txt", "no picture");
  });
  after(() => project.remove());

  it("makes of each picture what sharp makes in one process", async () => {
    const { code, stdout, output } = await thumbnails(
      ...PROGRAM,
      "--width",
      "100",
      "photos",
      "out",
    );
    assert.equal(code, 0, output);
    assert.match(stdout, /^30 thumbnails, \d+ bytes$/m);
    await check("out");
  });

  it("makes all of them when a worker is killed", async () => {
    const kill = project.write("kill.js", killAt(5, project.path("died")));
    const args = ["-r", kill, ...PROGRAM, "--width", "100", "photos", "killed"];
    const { code, stdout, output } = await thumbnails(...args);
    assert.ok(fs.existsSync(project.path("died")), output);
    assert.equal(code, 0, output);
    assert.match(stdout, /^30 thumbnails, \d+ bytes$/m);
    await check("killed");
  });

  it("fails when a picture is broken, and makes the others, also into the folder itself", async () => {
    const broken = new Workspace("broken");
    for (const name of ["1.png", "2.png"]) broken.copy(project.path("photos", name));
    broken.write("broken.png", "no picture");
    const out = broken.path("small");
    for (let round = 0; round < 2; round++) {
      const { code, stdout, stderr } = await thumbnails(...PROGRAM, broken.folder, out);
      assert.equal(code, 1);
      assert.match(stdout, /^2 thumbnails, \d+ bytes$/m);
      assert.match(stderr, /^failed: broken\.png: .*unsupported image format/m);
      assert.match(stderr, /^thumbnails: 1 pictures have no thumbnail$/m);
      assert.deepEqual(fs.readdirSync(out).sort(), ["1.png.webp", "2.png.webp"]);
    }
    broken.remove();
  });

  it("says so when there is no such folder", async () => {
    const { code, stderr } = await thumbnails(...PROGRAM, project.path("nowhere"), "out");
    assert.equal(code, 1);
    assert.equal(stderr, `thumbnails: there is no folder ${project.path("nowhere")}\n`);
  });
});
