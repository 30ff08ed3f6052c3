"use strict";
/**
 * Promise: The dashboard's page shows a program as it works, in light and dark mode, on a telephone and by keyboard, with names for those who
 * hear it. What it shows stays when the program ends. Texts of the program are shown and never executed. It stays smooth and bounded with 200
 * workers and a million events, and the program with whoever looks.
 */
const assert = require("node:assert/strict");
const { after, before, describe, it } = require("node:test");

const { Browser, hasBrowser, installBrowser } = require("../support/browser");
const { Follower, addressOf } = require("../support/follow");
const { LiveStream, counts, percentiles, pool } = require("../support/live-stream");
const { start } = require("../support/run");

const EVIL = `</script><script>window.hacked = 1</script><!-- <img src="http://localhost/x" onerror="hacked = 2"> \u2028 &amp; "`;

/** What the browser says when the program has gone and the page looks for the next one, and of this test's own looks at pixels. */
const EXPECTED =
  /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|willReadFrequently/;

const CANVASES = ["gantt", "throughput", "load", "times", "memory"].map((id) => `#${id} canvas`);

installBrowser();

describe("a dashboard's page", { skip: hasBrowser() ? false : "there is no Chromium here" }, () => {
  let browser;
  const streams = [];
  before(async () => {
    browser = await Browser.start();
  });
  after(async () => {
    for (const stream of streams) stream.stop();
    if (browser !== undefined) await browser.stop();
  });

  /** A program that never was, which has told this. @param {any} more */
  async function streamOf(more) {
    const stream = await LiveStream.start(more);
    streams.push(stream);
    return stream;
  }

  const figure = (page, name) => page.locator(`[data-figure=${name}]`);
  const number = async (page, name) =>
    Number((await figure(page, name).textContent()).replaceAll(",", ""));
  const says = (page, selector, text) =>
    page.waitForFunction(
      ([where, what]) => document.querySelector(where)?.textContent.includes(what),
      [selector, text],
    );
  const colours = (page, canvas) =>
    page.locator(canvas).evaluate((element) => {
      const { data } = element.getContext("2d").getImageData(0, 0, element.width, element.height);
      return new Set(new Uint32Array(data.buffer)).size;
    });

  /** Opens a page, and sees to it that it says nothing and asks for nothing but its own. */
  async function open(url, look) {
    const { page, said, asked } = await browser.open(url, look);
    const close = async () => {
      const wrong = said.filter((line) => !EXPECTED.test(line));
      assert.deepEqual(wrong, []);
      for (const one of asked) assert.ok([url, `${url}events`].includes(one), one);
      await page.close();
    };
    return { page, close };
  }

  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    it(`shows a real run with crashes as it goes on, and keeps it when the program ends: ${colorScheme}`, async () => {
      const options = JSON.stringify({ dashboard: 0, retries: 1 });
      const program = start("dashboard/job.js", { args: [options] });
      const { page, close } = await open(await addressOf(program), { colorScheme });
      await says(page, "#state", "Live");
      await says(page, "[data-figure=failed]", "5");
      assert.match(await page.locator("[data-tile=failed]").textContent(), /4 errors, 1 crash$/);
      await says(page, "[data-figure=workers]", "2");
      assert.equal(await page.title(), "job.js: dashboard");
      for (const canvas of CANVASES) await page.waitForFunction(hasDrawn, canvas);
      const groups = page.locator("#failures .group > summary");
      await says(page, "#failures-hint", "5 failures of 2 kinds");
      assert.match(await groups.first().textContent(), /^4 RangeError no part # <img src=x/);
      await groups.first().click();
      await page.locator(".failure > summary").first().click();
      await says(page, ".failure[open]", "{ part:");
      const details = await page.locator(".failure[open]").textContent();
      assert.match(details, /\{ part: \d+ \}/);
      assert.match(details, /RangeError: no part/);
      assert.match(details, /worker \d, 2 attempts: part \d+: no part/);
      assert.match(details, /1\. worker \d, pid \d+/);
      await page.locator("#search").fill("dies of part 13");
      await page.waitForFunction(() => document.querySelectorAll("#failures .group").length === 1);
      await groups.first().click();
      await page.locator(".failure > summary").first().click();
      await says(page, ".failure[open] pre:last-of-type", "it dies of part 13");
      await page.locator("#search").fill("nothing has this");
      await says(page, "#failures", "No failure has this text.");
      await page.locator("#search").fill("");
      assert.equal(await page.locator("#marks tbody tr").count(), 2);
      assert.match(await page.locator("#marks tbody").textContent(), /exit code 3/);
      program.mark("go");
      await program.ended;
      await says(page, "#state", "The program has ended");
      assert.equal(await number(page, "events"), 40);
      assert.match(await page.locator("#pools tbody").textContent(), /job\.js.*40/);
      assert.equal(await page.locator("#failures .group").count(), 2);
      for (const canvas of CANVASES)
        assert.ok((await colours(page, canvas)) > 4, `${canvas} is blank`);
      assert.equal(await page.evaluate(() => Reflect.get(window, "hacked")), undefined);
      await close();
    });
  }

  /** Runs in the page. @param {string} selector */
  function hasDrawn(selector) {
    const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector(selector));
    if (canvas === null || canvas.width === 0) return false;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size > 4;
  }

  it("shows every text as it is, and does nothing that it says", async () => {
    const group = { key: EVIL, name: EVIL, message: EVIL, count: 1, first: 1, last: 1, seq: 1 };
    const failure = { seq: 1, key: EVIL, at: 1, pool: 1, work: EVIL, worker: 1, name: EVIL };
    const texts = {
      message: EVIL,
      stack: EVIL,
      stderr: EVIL,
      data: EVIL,
      code: EVIL,
      signal: EVIL,
    };
    const attempts = [{ worker: EVIL, pid: EVIL, name: EVIL, message: EVIL }];
    const wait = { p50: 1, p99: 2, max: 3 };
    const more = {
      program: EVIL,
      platform: EVIL,
      pools: [pool([[1, 2, 3, 4, 0, 5, 0.5]], { title: EVIL, counts: counts(1, 1) })],
      marks: [{ seq: 1, at: 1, pool: 1, worker: EVIL, pid: EVIL, code: null, signal: EVIL }],
      failures: { groups: [group], list: [{ ...failure, ...texts, attempts }] },
      locks: {
        used: [{ name: EVIL, granted: 1, waited: 1, wait, held: 1 }],
        held: [{ name: EVIL, mode: EVIL, pid: EVIL }],
        pending: [],
      },
    };
    const stream = await streamOf(more);
    const { page, close } = await open(stream.url);
    await says(page, "#state", "Live");
    for (const details of ["#failures .group", "#failures .failure"])
      await page.locator(`${details} > summary`).first().click();
    assert.equal(await page.locator("h1").textContent(), EVIL);
    assert.equal(await page.locator(".group .name").textContent(), EVIL);
    assert.equal(await page.locator(".failure pre").first().textContent(), EVIL);
    assert.equal(await page.locator("#marks .text").first().textContent(), EVIL);
    assert.equal(await page.locator("#locks .text").first().textContent(), EVIL);
    assert.equal(await page.locator("#scope option").last().textContent(), EVIL);
    assert.deepEqual(
      [await page.locator("img").count(), await page.locator("script").count()],
      [0, 1],
    );
    assert.equal(await page.evaluate(() => Reflect.get(window, "hacked")), undefined);
    await close();
  });

  it("has names for all that it shows, and everything within reach of the keyboard", async () => {
    const [name, state] = ["blue", "there"];
    const host = { name, state, workers: 1, places: 1, running: 1, events: 2, answered: 3 };
    const stream = await streamOf({
      pools: [pool([[1, 2, 3, 4, 0, 5, 0.5]], { counts: counts(1, 1), hosts: [host] })],
      failures: {
        groups: [{ key: "k", name: "Error", message: "m", count: 1, first: 1, last: 1, seq: 1 }],
        list: [{ seq: 1, key: "k", at: 1, pool: 1, worker: 1, name: "Error", message: "m" }],
      },
    });
    const { page, close } = await open(stream.url);
    await says(page, "#state", "Live");
    const role = (name, options) => page.getByRole(name, options);
    const regions = ["Summary", "Pools and runs", "Workers over time", "Failures", "Crashes"];
    for (const name of [...regions, "Hosts"])
      assert.equal(await role("region", { name }).count(), 1, name);
    for (const [kind, name] of [
      ["heading", "dump.js"],
      ["searchbox", "Search"],
      ["button", "Pause"],
      ["combobox", "Show"],
      ["table", "Pools and runs"],
      ["row", "blue there 1 1 1 2 3"],
      ["img", /What 1 workers? did/],
      ["img", /Events finished per second/],
      ["img", /How long events run/],
    ])
      assert.equal(await role(kind, { name }).count(), 1, String(name));
    assert.ok((await role("status").allTextContents()).includes("Live"));
    const reached = [];
    for (let n = 0; n < 25; n++) {
      await page.keyboard.press("Tab");
      reached.push(
        await page.evaluate(() => document.activeElement.id || document.activeElement.textContent),
      );
    }
    for (const id of ["scope", "pause", "gantt", "search"])
      assert.ok(reached.includes(id), `${id} is not among ${reached}`);
    await page.locator("#failures summary").first().focus();
    await page.keyboard.press("Enter");
    await page.locator(".failure").waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    assert.equal(await page.locator(".failure[open]").count(), 1);
    // What comes meanwhile takes neither the focus away nor closes what is open.
    for (let n = 0; n < 3; n++) stream.frame({ pools: [{ id: 1, counts: counts(100 + n, 1) }] });
    await says(page, "[data-figure=events]", "113");
    assert.equal(await page.locator(".failure[open]").count(), 1);
    assert.equal(await page.evaluate(() => document.activeElement.tagName), "SUMMARY");
    await page.locator("#pause").focus();
    await page.keyboard.press("Space");
    assert.equal(await page.locator("#pause").getAttribute("aria-pressed"), "true");
    stream.frame({ pools: [{ id: 1, counts: counts(500, 1) }] });
    stream.frame({ pools: [{ id: 1, counts: counts(900, 1) }] });
    await page.evaluate(
      () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
    );
    assert.equal(await number(page, "events"), 113);
    await page.keyboard.press("Space");
    await says(page, "[data-figure=events]", "911");
    await close();
  });

  it("fits on a telephone", async () => {
    const row = [1, 2, 3, 4, 0, 5e7, 0.5];
    const stream = await streamOf({
      pools: [
        pool([row], {
          counts: counts(1_000_000, 1),
          recent: { run: percentiles(2), wait: percentiles(1) },
        }),
      ],
      program: "a-program-with-a-rather-long-name-that-does-not-fit.js",
    });
    const { page, close } = await open(stream.url, { width: 390 });
    await says(page, "#state", "Live");
    for (let n = 0; n < 10; n++) stream.frame({});
    await says(page, "[data-figure=events]", "1,000,011");
    // The percentiles of the last minute.
    assert.match(await page.locator("#pools tbody").textContent(), /2 ms6 ms1 ms3 ms/);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390);
    // As wide as the pictures in the documentation: no column is cut off.
    await page.setViewportSize({ width: 1080, height: 800 });
    const box = page.locator("#pools .scroll");
    const hidden = await box.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
    assert.equal(hidden, 0);
    await close();
  });

  it("shows 200 workers for as long as the program works, smoothly and in bounded memory", async () => {
    const workers = 200;
    const rows = (n) =>
      Array.from({ length: workers }, (_, at) => {
        const busy = n * 250 * ((at % 10) / 10);
        return [at + 1, 1000 + at, n * 7 + at, busy, at % 3, 5e7 + n, 0.5];
      });
    const stream = await streamOf({
      pools: [
        pool(rows(0), { counts: counts(0), recent: { run: percentiles(2), wait: percentiles(1) } }),
      ],
    });
    const { page, close } = await open(stream.url);
    await says(page, "#state", "Live");
    let n = 0;
    /** So many frames, as fast as the page takes them; then what it has in memory. */
    const frames = async (count) => {
      for (let end = n + count; n < end; ) {
        n++;
        stream.frame({ pools: [{ id: 1, workers: rows(n), counts: counts(n * 1000) }] });
        if (n % 20 === 0)
          await says(page, "[data-figure=events]", (n * 1000 + 10).toLocaleString("en"));
      }
      const session = await page.context().newCDPSession(page);
      await session.send("HeapProfiler.collectGarbage");
      const { usedSize } = await session.send("Runtime.getHeapUsage");
      await session.detach();
      return usedSize;
    };
    const first = await frames(260);
    const second = await frames(260);
    assert.ok(second < first + 4e6, `${first} bytes, and ${second} after as many again`);
    // A frame is drawn in less than the time between two.
    const took = await page.evaluate(
      () =>
        new Promise((resolve) => {
          const began = performance.now();
          let left = 30;
          const next = () =>
            left-- > 0 ? requestAnimationFrame(next) : resolve((performance.now() - began) / 30);
          next();
        }),
    );
    assert.ok(took < 250, `${took} ms a frame`);
    assert.ok((await colours(page, "#gantt canvas")) > 4);
    await close();
  });

  it("costs a run of a million events little, and its stream stays small", async () => {
    const program = start("dashboard/million.js");
    const url = await addressOf(program);
    const { page, close } = await open(url);
    const follower = new Follower(url);
    const { result } = await program.ended;
    await follower.ended;
    await says(page, "[data-figure=events]", "1,000,000");
    assert.equal(result.answered, 1_000_000 - result.failed);
    assert.equal(result.failed, 10_000);
    const { groups, list } = follower.known;
    const told = Object.values(groups).reduce((sum, { count }) => sum + count, 0);
    assert.equal(told, result.failed);
    assert.ok(list.length <= 1000);
    const most = 300_000 * (result.seconds + 2) + 1_200_000;
    assert.ok(follower.bytes < most, `${follower.bytes} bytes in ${result.seconds} s`);
    await close();
  });
});
