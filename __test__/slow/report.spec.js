"use strict";
/**
 * Promise: A report is one page that loads nothing else. It shows a run's figures, with ten events and with a hundred
 * thousand, in light and dark mode. Text from an error is shown and never executed.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { after, before, describe, it } = require("node:test");

const { pageOf } = require("../../lib/master/report");
const { Browser, hasBrowser, installBrowser } = require("../support/browser");
const { run } = require("../support/run");
const { OUTCOMES, recorded } = require("../support/recorded");
const { ROOT, Workspace } = require("../support/workspace");

/** Milliseconds for a page with a hundred thousand events: it takes one second, alone on a machine. */
const LONG = 30_000;

const EVIL = `</script><script>window.hacked = 1</script><!-- <img src="http://localhost/x" onerror="hacked = 2"> \u2028 &amp; "`;

installBrowser();

it("carries the licence of what is in it", () => {
  const license = fs.readFileSync(path.join(ROOT, "node_modules/uplot/LICENSE"), "utf8").trim();
  assert.ok(require("../../lib/master/page").includes(license));
});

describe("a report", { skip: hasBrowser() ? false : "there is no Chromium here" }, () => {
  const files = new Workspace("report");
  let browser;
  before(async () => {
    browser = await Browser.start();
  });
  after(async () => {
    if (browser !== undefined) await browser.stop();
    files.remove();
  });

  /** Opens the page of a record, and sees to it that it says and asks nothing. */
  async function show(record, look) {
    const file = files.write("run.html", pageOf(record));
    const { page, said, asked, url } = await browser.open(file, look);
    const close = async () => {
      assert.deepEqual(said, []);
      assert.deepEqual(asked, [url]);
      await page.close();
    };
    return { page, close };
  }

  const figure = (page, name) => page.locator(`[data-figure=${name}]`).textContent();
  const number = async (page, name) => Number((await figure(page, name)).replaceAll(",", ""));
  const colours = (page, canvas) =>
    page.locator(canvas).evaluate((element) => {
      const { data } = element.getContext("2d").getImageData(0, 0, element.width, element.height);
      return new Set(new Uint32Array(data.buffer)).size;
    });
  const picture = (page, canvas) => page.locator(canvas).evaluate((element) => element.toDataURL());
  const CANVASES = [
    "#gantt canvas",
    "#throughput canvas",
    "#load canvas",
    "#runs canvas",
    "#waits canvas",
  ];

  for (const events of [0, 1, 10, 1000, 100_000]) {
    it(`shows the figures of a run of ${events} events`, { timeout: LONG * 2 }, async () => {
      const record = recorded({ events, failing: 0.05 });
      const began = performance.now();
      const { page, close } = await show(record);
      assert.ok(performance.now() - began < LONG);
      const of = (name) =>
        record.events.outcome.filter((outcome) => OUTCOMES[outcome] === name).length;
      const failed = ["error", "crash", "timeout", "aborted"].reduce(
        (sum, name) => sum + of(name),
        0,
      );
      assert.equal(await page.title(), "dump.js: run report");
      assert.equal(await number(page, "events"), events);
      assert.equal(await number(page, "answered"), of("answered"));
      assert.equal(await number(page, "failed"), failed);
      assert.equal(await number(page, "restarts"), record.workers.length - record.workersAsked);
      await page.locator("summary", { hasText: "Workers as a table" }).click();
      const cells = await page.locator("#workers tbody tr td:nth-child(3)").allTextContents();
      const expected = [1, 2, 3, 4].map(
        (id) => record.events.worker.filter((worker) => worker === id).length,
      );
      assert.deepEqual(
        cells.map((text) => Number(text.replaceAll(",", ""))),
        expected,
      );
      assert.equal(await page.locator("#failures tbody tr").count(), record.failures.length);
      for (const canvas of events === 0 ? CANVASES.slice(0, 1) : CANVASES) {
        assert.ok((await colours(page, canvas)) > 5, `${canvas} is blank`);
      }
      await close();
    });
  }

  it("names the slowest events, the slowest first", async () => {
    const record = recorded({ events: 500 });
    const { started, finished, id } = record.events;
    const order = id
      .map((_, at) => at)
      .sort((a, b) => finished[b] - started[b] - (finished[a] - started[a]));
    const { page, close } = await show(record);
    const shown = await page.locator("#slowest tbody tr td:first-child").allTextContents();
    assert.deepEqual(
      shown.map(Number),
      order.slice(0, shown.length).map((at) => id[at]),
    );
    assert.equal(shown.length, 25);
    await close();
  });

  it("counts events that were too many to be listed", async () => {
    const record = recorded({ events: 100 });
    record.unlisted = 900;
    const times = { p50: 2, p90: 3, p99: 4 };
    const failures = { error: 7, crash: 1, timeout: 2, aborted: 0 };
    record.statistics = {
      answered: 980,
      nothing: 10,
      failures,
      crashes: 1,
      run: times,
      wait: times,
    };
    const { page, close } = await show(record);
    const figures = ["events", "answered", "failed"].map((name) => number(page, name));
    assert.deepEqual(await Promise.all(figures), [1000, 980, 10]);
    assert.equal(await figure(page, "run"), "2 ms");
    assert.match(
      await page.locator(".hint").allTextContents().then(String),
      /the first 100 of 1,000 events/,
    );
    await close();
  });

  it("lists events that no worker had among the failures, and nowhere else", async () => {
    const record = recorded({ events: 10, failing: 0 });
    for (const name of ["worker", "pid"]) record.events[name][9] = 0;
    record.events.started[9] = record.events.finished[9];
    record.events.outcome[9] = OUTCOMES.indexOf("aborted");
    record.failures.push({
      id: 10,
      worker: 0,
      name: "Error",
      message: "too late",
      code: null,
      attempts: 1,
    });
    const { page, close } = await show(record);
    assert.equal(await number(page, "failed"), 1);
    assert.equal(await page.locator("#slowest tbody tr").count(), 9);
    assert.match(await page.locator("#failures tbody tr").textContent(), /^10.*too late/);
    await close();
  });

  it("shows what an error says as it is, and does nothing that it says", async () => {
    const record = recorded({ events: 10, failing: 1, message: EVIL });
    record.program = EVIL;
    record.marks.push({ at: 1, kind: EVIL, worker: null, text: EVIL });
    const { page, close } = await show(record);
    assert.equal(await page.locator("#failures .text").nth(1).textContent(), `${EVIL} (1)`);
    assert.equal(await page.locator("h1").textContent(), EVIL);
    assert.equal(await page.locator("#marks .text").first().textContent(), EVIL);
    assert.equal(await page.evaluate(() => Reflect.get(window, "hacked")), undefined);
    assert.deepEqual(
      [await page.locator("img").count(), await page.locator("script").count()],
      [0, 2],
    );
    await close();
  });

  it("says which event it was, and shows stacks and stderr when they are asked for", async () => {
    const record = recorded({ events: 10, failing: 1 });
    const [{ id }] = record.failures;
    record.texts = { [id]: EVIL };
    Object.assign(record.failures[0], { stack: `at ${EVIL}`, stderr: "last words" });
    const { page, close } = await show(record);
    const first = page.locator("#failures tbody tr").first();
    assert.equal(await first.locator(".text").first().textContent(), EVIL);
    assert.deepEqual(await first.locator("summary").allTextContents(), ["Stack", "stderr"]);
    const stack = first.locator("pre").first();
    assert.equal(await stack.isVisible(), false);
    await first.locator("summary").first().click();
    assert.equal(await stack.isVisible(), true);
    assert.equal(await stack.textContent(), `at ${EVIL}`);
    assert.ok((await page.locator("#slowest").textContent()).includes(EVIL));
    await close();
  });

  it("tells of back-pressure beside the events that wait, and not among the crashes", async () => {
    const record = recorded({ events: 10, failing: 0 });
    record.marks = [];
    const text = "Map waits for room";
    record.marks.push({ at: 1, until: 3, kind: "backpressure", worker: null, text });
    const { page, close } = await show(record);
    assert.equal(await page.locator("#marks").textContent(), "There are none.");
    const said = await page
      .locator("#load")
      .evaluate((box) => box.previousElementSibling.textContent);
    assert.equal(said, "Map waited for room 1 time, 2 ms in all: workers were behind.");
    await close();
  });

  it("shows the memory of each worker, and one share of its time", async () => {
    const record = recorded({ events: 100, workers: 1, failing: 0 });
    record.workers[0].memory = 64 * 2 ** 20;
    const { page, close } = await show(record);
    await page.locator("#workers").evaluate((box) => {
      box.closest("details").open = true;
    });
    const cells = await page.locator("#workers tbody tr").first().locator("td").allTextContents();
    assert.equal(cells[6], "64 MiB");
    assert.equal(cells[5], await figure(page, "utilisation"));
    await close();
  });

  it("says what is under the pointer", async () => {
    const record = recorded({ events: 10, workers: 1, failing: 0, mean: 50 });
    const { page, close } = await show(record);
    const { started, finished } = record.events;
    const longest = started.reduce(
      (most, _, at) => (finished[at] - started[at] > finished[most] - started[most] ? at : most),
      0,
    );
    const box = await page.locator("#gantt canvas").boundingBox();
    const share = (started[longest] + finished[longest]) / 2 / record.elapsed;
    await page.mouse.move(box.x + 64 + share * (box.width - 80), box.y + box.height / 2);
    const tip = await page.locator("#tip").textContent();
    assert.match(tip, new RegExp(`^event ${record.events.id[longest]}: `));
    await close();
  });

  it("shows a part of the time, by keys, by dragging and by buttons, and the whole again", async () => {
    const { page, close } = await show(recorded({ events: 100_000, workers: 8 }));
    const range = () => page.locator("#range").textContent();
    assert.equal(await range(), "");
    const canvas = page.locator("#gantt canvas");
    await canvas.focus();
    await page.keyboard.press("+");
    const zoomed = await range();
    assert.match(zoomed, / to /);
    await page.keyboard.press("ArrowRight");
    assert.notEqual(await range(), zoomed);
    await page.keyboard.press("0");
    assert.equal(await range(), "");
    for (const place of ["#gantt canvas", "#throughput .u-over"]) {
      await page.locator(place).scrollIntoViewIfNeeded();
      const box = await page.locator(place).boundingBox();
      await page.mouse.move(box.x + box.width * 0.4, box.y + 20);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.5, box.y + 20, { steps: 4 });
      await page.mouse.up();
      assert.match(await range(), / to /, place);
      await page.locator("#zoom-reset").click();
      assert.equal(await range(), "");
    }
    await close();
  });

  it("has its own colours in the dark, and nothing is lost in them", async () => {
    const record = recorded({ events: 1000 });
    const pictures = [];
    for (const colorScheme of ["light", "dark"]) {
      const { page, close } = await show(record, { colorScheme });
      for (const canvas of CANVASES)
        assert.ok((await colours(page, canvas)) > 5, `${canvas} is blank`);
      pictures.push(await page.screenshot());
      // The page follows when the system changes.
      const drawn = await Promise.all(CANVASES.map((canvas) => picture(page, canvas)));
      await page.emulateMedia({ colorScheme: colorScheme === "light" ? "dark" : "light" });
      await page.evaluate(
        () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
      );
      for (const [at, canvas] of CANVASES.entries())
        assert.notEqual(await picture(page, canvas), drawn[at], canvas);
      await close();
    }
    assert.notDeepEqual(pictures[0], pictures[1]);
  });

  it("fits on a telephone", async () => {
    const { page, close } = await show(recorded({ events: 1000 }), { width: 390 });
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390);
    await close();
  });

  it("shows a run as it was", async () => {
    const options = JSON.stringify({ report: "run.html" });
    const { result } = await run("observing/job.js", {
      args: ["MapReduce", options],
      env: { QUIET: "1" },
    });
    const { page, said, asked, url } = await browser.open(files.write("real.html", result.page));
    assert.equal(await page.title().then((title) => title.includes("job.js")), true);
    const figures = ["events", "answered", "failed", "restarts"].map((name) => number(page, name));
    const { handedOver, answered, failed, restarts } = result.last;
    assert.deepEqual(await Promise.all(figures), [handedOver, answered, failed, restarts]);
    assert.deepEqual([handedOver, failed], [200, 3]);
    assert.ok((await page.locator("body").textContent()).includes("no <b>50</b>"));
    for (const canvas of CANVASES)
      assert.ok((await colours(page, canvas)) > 5, `${canvas} is blank`);
    assert.deepEqual([said, asked], [[], [url]]);
    await page.close();
  });

  it("draws the graph of a flow, with the counts of each node, also as a table", async () => {
    const wanted = JSON.stringify({ options: { report: "run.html" } });
    const { result } = await run("flows/seen.js", { args: [wanted], env: { QUIET: "1" } });
    const { nodes } = result.last;
    for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
      const file = files.write("flow.html", result.page);
      const { page, said, asked, url } = await browser.open(file, { colorScheme });
      const labels = (selector) =>
        page
          .locator(`#flow .graph ${selector}`)
          .evaluateAll((all) => all.map((one) => one.getAttribute("aria-label")));
      const drawn = await labels(".node:not(.sink)");
      assert.deepEqual(
        drawn.map((label) => label.split(":")[0]),
        nodes.map(({ name }) => name),
      );
      assert.match(drawn[0], /^parse: map, 100 events, 10 failed, /);
      const sinks = await labels(".sink");
      for (const label of [
        "excused: sink, 10 items",
        "sizes: sink, 26 items",
        "groups: sink, 5 items",
      ])
        assert.ok(sinks.includes(label), `${label} is not among ${sinks}`);
      const most = nodes.reduce((a, b) => (b.waited > a.waited ? b : a));
      assert.deepEqual(
        (await labels(".slowest")).map((label) => label.split(":")[0]),
        [most.name],
      );
      const texts = await page.locator("#flow .edge text").allTextContents();
      for (const text of ["errors: 10", "89", "178"])
        assert.ok(texts.includes(text), `${text} is not among ${texts}`);
      assert.equal(await page.locator("#flow .frame").count(), 6);
      const rows = await page.locator("#flow tbody tr").allTextContents();
      assert.equal(rows.length, nodes.length);
      assert.match(rows[1], /^doublemap, in parse/);
      assert.deepEqual([said, asked], [[], [url]]);
      await page.close();
    }
  });

  it("has no graph where there is no flow", async () => {
    const { page, close } = await show(recorded({ events: 10 }));
    assert.equal(await page.locator("#flow-section").isVisible(), false);
    await close();
  });

  it("is small: a hundred thousand events are less than three megabytes", () => {
    assert.ok(pageOf(/** @type {any} */ (recorded({ events: 100_000 }))).length < 3e6);
  });
});
