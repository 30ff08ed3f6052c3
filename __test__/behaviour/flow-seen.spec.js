"use strict";
/**
 * Promised: statistics, `onProgress`, report and trace tell of each node of a flow what became of its events, however the flow is run.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const given = async (wanted) =>
  (await run("flows/seen.js", { args: [JSON.stringify(wanted)], env: { QUIET: "1" } })).result;

/** What each node counts. `counted` reads as many parts as it has been divided into. */
const NODES = {
  parse: { events: 100, answered: 90, failed: 10, retried: 0, made: 89 },
  double: { events: 1, answered: 0, failed: 1, retried: 0, made: 0, partOf: "parse" },
  twice: { events: 89, answered: 89, failed: 0, retried: 0, made: 356 },
  excuse: { events: 10, answered: 10, failed: 0, retried: 10, made: 10 },
  paired: { events: 0, answered: 0, failed: 0, retried: 0, made: 0, partOf: "twice" },
  counted: { failed: 0, retried: 0, made: 5 },
  batch: { events: 26, answered: 26, failed: 0, retried: 0, made: 26 },
  size: { events: 0, answered: 0, failed: 0, retried: 0, made: 0, partOf: "batch" },
  sum: { events: 1, answered: 1, failed: 0, retried: 0, made: 1 },
};
const KINDS = {
  parse: "map",
  double: "map",
  twice: "flatMap",
  excuse: "map",
  paired: "map",
  counted: "groupByKey",
  batch: "batch",
  size: "map",
  sum: "reduce",
};
const SINKS = { excused: 10, groups: 5, sizes: 26, sum: 1, failed: 1 };

function assertNodes({ nodes, answered, nothing, failed }) {
  const by = Object.fromEntries(nodes.map((node) => [node.name, node]));
  assert.deepEqual(Object.keys(by).sort(), Object.keys(NODES).sort());
  for (const [name, due] of Object.entries(NODES)) {
    const node = by[name];
    for (const what of Object.keys(due)) assert.equal(node[what], due[what], `${what} of ${name}`);
    const { partOf } = due;
    assert.deepEqual([node.kind, node.tags, node.partOf], [KINDS[name], [], partOf], name);
    assert.deepEqual([node.waiting, node.running, node.state], [0, 0, "closed"], name);
    assert.ok(node.heldUp >= 0, name);
    assert.equal(node.events, node.answered + node.failed, name);
    assert.ok(node.busy >= node.longest && node.longest >= node.mean && node.mean >= 0, name);
  }
  const sum = (what) => nodes.reduce((all, node) => all + node[what], 0);
  assert.deepEqual([sum("answered"), sum("failed")], [answered + nothing, failed]);
  for (const name of ["batch", "sum"])
    assert.deepEqual(by[name].held, { came: 178, items: 0, bytes: 0 }, name);
  const { records, bytes, extents } = by.counted.spilled;
  assert.ok(by.counted.events >= 1 && by.counted.events <= 5);
  assert.equal(records, 178);
  assert.ok(bytes > 178 && extents >= 1 && extents <= 178);
  assert.deepEqual(
    nodes.filter(({ held, spilled }) => held || spilled).map(({ name }) => name),
    ["counted", "batch", "sum"],
  );
}

describe("the statistics of a flow", () => {
  for (const how of ["map", "stream"]) {
    it(`count the events of each node: ${how}`, async () => {
      const { sinks, last } = await given({ how });
      assert.deepEqual(sinks, SINKS);
      assertNodes(last);
      assert.ok(last.nodes.every((node) => !("waited" in node)));
    });
  }

  it("have the time that events waited where times are asked for", async () => {
    const { last } = await given({ options: { statistics: true } });
    assertNodes(last);
    const { mean, count } = last.wait;
    const waited = last.nodes.reduce((all, node) => all + node.waited, 0);
    assert.ok(Math.abs(waited - mean * count) <= waited * 0.05 + 1, `${waited}, ${mean * count}`);
  });

  it("have the time for which a node held up those before it", async () => {
    const { last } = await given({ how: "slow" });
    const held = last.nodes.map(({ name, heldUp }) => [name, heldUp > 0]);
    assert.deepEqual(held, [
      ["twice", false],
      ["quick", false],
      ["slow", true],
    ]);
    // Both workers have 200 events of 10 ms each, and all but the first few wait for them.
    const [, , { heldUp }] = last.nodes;
    assert.ok(heldUp > 300 && heldUp < last.elapsed, `${heldUp} of ${last.elapsed}`);
  });

  it("are told to onProgress", async () => {
    const { told, last } = await given({ options: { onProgress: true } });
    assert.deepEqual(told[told.length - 1], last.nodes);
    for (const nodes of told)
      for (const { events, answered, failed, waiting, running } of nodes)
        assert.equal(events, answered + failed + waiting + running);
  });

  it("are those of a run in a pool too, whose own have no nodes", async () => {
    const { sinks, pool, last } = await given({ how: "pool" });
    assert.deepEqual(sinks, SINKS);
    assertNodes(last);
    assert.equal("nodes" in pool, false);
  });
});

describe("files of a flow", () => {
  it("have its nodes: the trace names events by them, the report has the graph", async () => {
    const options = { trace: "trace.json", report: "run.html" };
    const { trace, page, last } = await given({ options });
    const entries = JSON.parse(trace).traceEvents;
    for (const { name, events } of last.nodes) {
      const own = entries.filter(({ args }) => args.node === name);
      assert.equal(own.length, events, name);
      assert.ok(own.every((entry) => entry.name === `node ${name}`));
    }
    const opened = entries.filter(({ name }) => name === "barrier").map(({ args }) => args.text);
    assert.deepEqual(opened.map((text) => text.replace(/s: .*/, "s")).sort(), [
      "node batch has all its items",
      "node counted has all its items",
      "node sum has all its items",
    ]);
    const [, text] = /id="run">([^<]*)</.exec(page);
    const { graph, statistics } = JSON.parse(text);
    assert.deepEqual(statistics.nodes, last.nodes);
    assert.deepEqual(graph.sinks, ["excused", "groups", "sizes", "sum"]);
    const names = last.nodes.map(({ name }) => name);
    const nameOf = (to) => (typeof to === "number" ? names[to] : graph.sinks[to.sink]);
    const edges = graph.edges.map(({ from, to, port, isFused, count }) =>
      [names[from], nameOf(to), port || "", isFused ? "fused" : count].join(" "),
    );
    assert.deepEqual(edges.sort(), [
      "batch size  fused",
      "counted groups  5",
      "double twice  89",
      "excuse excused  10",
      "paired counted  178",
      "parse double  fused",
      "parse excuse errors 10",
      "size sizes  26",
      "sum sum  1",
      "twice batch  178",
      "twice paired  fused",
      "twice sum  178",
    ]);
  });
});
