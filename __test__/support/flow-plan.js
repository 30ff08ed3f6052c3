"use strict";
// What must hold for the plan of every flow.

const assert = require("node:assert/strict");

/**
 * Its lists refer to each other, exits are numbered in the order of nodes and ports, and what is fused or spilled may be.
 * @param {any} plan
 */
function checkPlan(plan) {
  const inputs = plan.nodes.map(() => new Set());
  const add = (from, to) => inputs[to - 1].add(from);
  add(0, plan.entry);
  const seen = [];
  plan.nodes.forEach((node, at) => {
    assert.equal(node.number, at + 1);
    const ofPort = (exit, port) => {
      if (exit === -1) return;
      seen.push(exit);
      assert.deepEqual([plan.exits[exit].node, plan.exits[exit].port], [node.number, port]);
      assert.ok(plan.exits[exit].to.length > 0);
      for (const to of plan.exits[exit].to) {
        if ("sink" in to) assert.ok(to.sink < plan.sinks.length);
        else {
          assert.notEqual(plan.nodes[to.node - 1].hold, "spill");
          add(node.number, to.node);
        }
      }
    };
    node.ports.forEach(({ exit, next, spills }, port) => {
      ofPort(exit, port);
      if (next !== 0) {
        assert.ok(next > node.number);
        assert.equal(plan.nodes[next - 1].hold, null);
        assert.deepEqual(plan.nodes[next - 1].tags, node.tags);
        assert.deepEqual(plan.nodes[next - 1].retries, node.retries);
        add(node.number, next);
      }
      for (const spill of spills) {
        assert.equal(plan.nodes[spill.node - 1].hold, "spill");
        assert.notEqual(node.hold, "master");
        add(node.number, spill.node);
      }
    });
    ofPort(node.errors, -1);
  });
  assert.deepEqual(
    seen,
    plan.exits.map((_, at) => at),
  );
  plan.nodes.forEach((node, at) => {
    assert.deepEqual(
      node.inputs,
      [...inputs[at]].sort((one, other) => one - other),
    );
  });
}

module.exports = { checkPlan };
