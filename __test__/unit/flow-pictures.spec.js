"use strict";
/**
 * Promise: the pictures of docs/flows.md are those of the flows that it shows, drawn as the report draws them, with colours for light and
 * for dark, and without anything that differs from run to run.
 */
const assert = require("node:assert/strict");
const { before, describe, it } = require("node:test");

const { pictures, stale } = require("../../scripts/flow-pictures");

describe("the pictures of flows", () => {
  /** @type {Map<string, string>} */
  let due;
  before(async () => {
    due = await pictures();
  });

  it("are those of the flows as they are: else run `npm run docs`", () => {
    assert.ok(due.size >= 10);
    assert.deepEqual(stale(due), []);
  });

  it("show each node and sink, and nothing that was counted", () => {
    const text = String(due.get("images/flow-words.svg"));
    const names = [...text.matchAll(/class="name">([^<]*)</g)].map(([, name]) => name);
    assert.deepEqual(names, ["flatMap", "map", "reduceByKey", "sortBy", "results"]);
    assert.equal(text.match(/class="frame"/g)?.length, 2);
    for (const picture of due.values()) {
      assert.doesNotMatch(picture, /undefined|NaN|\d events?|\d items?/);
      assert.match(picture, /prefers-color-scheme: dark/);
      for (const [, name] of picture.matchAll(/var\((--[a-z]+)\)/g))
        assert.equal(picture.split(`${name}: #`).length, 3, `${name} in light and dark`);
    }
  });

  it("finds one that is another, and one that is no more", () => {
    const changed = new Map([...due, ["images/flow-words.svg", "another"]]);
    changed.delete("images/flow-etl.svg");
    assert.deepEqual(stale(changed), ["images/flow-words.svg", "images/flow-etl.svg"]);
  });
});
