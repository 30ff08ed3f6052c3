"use strict";
/**
 * Promised: in the drawing of a flow each node is right of all that lead to it, no two nodes share a place, and nodes that run as one
 * are framed together.
 */
const assert = require("node:assert/strict");
const path = require("node:path");
const { before, describe, it } = require("node:test");
const { pathToFileURL } = require("node:url");

const { planOf } = require("../../lib/shared/flow/plan");
const { graphOf } = require("../../lib/shared/flow/made");
const { statisticsOf } = require("../../lib/master/nodes");
const { randomFlow } = require("../support/random-flow");

const GRAPH = pathToFileURL(path.join(__dirname, "../../report/graph.mjs")).href;

describe("the drawing of a flow", () => {
  /** @type {any} */
  let graph;
  before(async () => {
    graph = await import(GRAPH);
  });

  const edges = (...pairs) => pairs.map(([from, to]) => ({ from, to }));

  it("has nodes in the column behind the last one that leads to them", () => {
    const diamond = edges([0, 1], [0, 2], [1, 3], [2, 4], [4, 3]);
    assert.deepEqual(graph.columnsOf(5, diamond), [0, 1, 1, 3, 2]);
    assert.deepEqual(graph.columnsOf(0, []), []);
    assert.deepEqual(graph.columnsOf(2, []), [0, 0]);
  });

  it("has them sorted so that edges need not cross", () => {
    const crossed = edges([0, 1], [0, 2], [1, 4], [2, 3]);
    const layers = graph.rowsOf(graph.columnsOf(5, crossed), crossed);
    assert.equal(
      layers[1].indexOf(1) < layers[1].indexOf(2),
      layers[2].indexOf(4) < layers[2].indexOf(3),
    );
  });

  it("keeps its promises for any flow", () => {
    const { width, height } = graph.SIZE;
    for (let seed = 1; seed <= 200; seed++) {
      const plan = planOf(graphOf(randomFlow(seed, { nodes: 20, fail: true }).flow));
      const counts = /** @type {any[]} */ (plan.nodes.map(() => ({ made: 0 })));
      const told = { nodes: counts, exits: plan.exits.map(() => 0) };
      const { graph: drawn } = statisticsOf(told, plan);
      const nodes = plan.nodes.length;
      const count = nodes + plan.sinks.length;
      const ends = drawn.edges.map(({ from, to }) => ({
        from,
        to: typeof to === "number" ? to : nodes + to.sink,
      }));
      const heads = [...drawn.heads, ...plan.sinks.map((_, at) => nodes + at)];
      const { places, frames, ...size } = graph.layout(count, ends, heads);
      assert.equal(new Set(places.map(({ x, y }) => `${x} ${y}`)).size, count, `seed ${seed}`);
      for (const { from, to } of ends) assert.ok(places[from].x < places[to].x, `seed ${seed}`);
      for (const { x, y } of places)
        assert.ok(x >= 0 && y >= 0 && x + width <= size.width && y + height <= size.height);
      const framed = frames.flat();
      assert.equal(new Set(framed).size, framed.length);
      for (const { ports, number } of plan.nodes)
        for (const { next } of ports)
          if (next !== 0)
            assert.ok(
              frames.some((frame) => frame.includes(number - 1) && frame.includes(next - 1)),
            );
    }
  });
});
