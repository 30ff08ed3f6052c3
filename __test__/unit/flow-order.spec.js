"use strict";
/**
 * Promise: `order: "submission"` holds for flows that are chains of map, flatMap and filter, and what refuses another names the node that
 * is why.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");

const { checkFlowOptions } = require("../../lib/master/flow");
const { flow } = require("../../lib/shared/flow/flow");
const { optionsOfFlow } = require("../../lib/shared/flow/given");

const one = ({ data }) => data;
const two = ({ data }) => data;
const key = (data) => data;
const far = { maxWaiting: 1 };

const check = (build) => checkFlowOptions({ ...optionsOfFlow(flow(build)), order: "submission" });

describe("the order of submission", () => {
  const CHAINS = {
    "of one node": (source) => source.map(one),
    "of the source alone": (source) => source,
    "whose nodes run together": (source) => source.flatMap(one).filter(two).map(one),
    "whose nodes run in events of their own": (source) =>
      source
        .flatMap(one, { tags: ["a"] })
        .filter(two, far)
        .map(one, { retries: 2 }),
    "with a sink that has a name": (source) => ({ all: source.map(one).map(two, far) }),
    "with a merge of one node": (source) => source.merge().map(one).merge(),
  };
  for (const [what, build] of Object.entries(CHAINS)) {
    it(`holds for a chain ${what}`, () => check(build));
  }

  const OTHERS = {
    "the node one is a split": (source) => source.split(one, ["a"]).a,
    "the node batch is a batch": (source) => source.map(one).batch({ count: 2 }).map(two),
    "the node key is a sortBy": (source) => source.map(one).sortBy(key),
    "the node two is a reduceByKey": (source) => source.map(one).reduceByKey(two),
    "the node two is a groupByKey": (source) => source.map(one).groupByKey(two),
    "the node two is a reduce": (source) => source.map(one).reduce(two, { in: "master" }),
    "the node join is a join": (source) => source.join(source.map(one), { on: [key, key] }),
    "the errors of the node one are read": (source) => source.map(one).errors,
    "the items of the source go to several places": (source) => source.map(one).merge(source),
    "the items of the node 1 go to several places": (source) => {
      const first = source.map(one, { name: "1" });
      return { first, second: first.map(two) };
    },
    "the items of the node two go to several places": (source) => {
      const second = source.map(one).map(two, far);
      return second.merge(second);
    },
    "the items of the node one go to several places": (source) => {
      const first = source.map(one);
      first.map(two);
      return first;
    },
  };
  for (const [why, build] of Object.entries(OTHERS)) {
    it(`is refused where ${why}`, () => {
      const message = `options.order: "submission" is possible with a flow that is a chain of map, flatMap and filter, and here ${why}: leave it out`;
      assert.throws(() => check(build), { code: "ERR_SONIC_INVALID_ARGUMENT", message });
    });
  }

  it("is no matter for a flow without it", () => {
    const build = (source) => source.map(one).reduce(two);
    checkFlowOptions({ ...optionsOfFlow(flow(build)), order: "completion" });
  });
});
