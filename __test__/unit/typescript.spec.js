"use strict";
/** Promise: an error of a program in TypeScript that Node.js does not run says what to do, and no other error does. */
const assert = require("node:assert/strict");
const { it } = require("node:test");

const { adviceFor } = require("../../lib/shared/typescript");

const UNKNOWN = 'TypeError: Unknown file extension ".ts" for /job.ts';
const SYNTAX =
  "/job.ts:1\nconst x: number = 1;\n      ^\nSyntaxError: Missing initializer\n    at x";

it("says how to run it", () => {
  for (const [text, file] of [
    [UNKNOWN],
    [`worker 1 exited with code 1. It last wrote to stderr:\n${UNKNOWN}\n    at x`],
    [UNKNOWN.replaceAll(".ts", ".mts")],
    [UNKNOWN.replaceAll(".ts", ".tsx")],
    [SYNTAX],
    ["SyntaxError: Missing initializer", "/job.cts"],
  ])
    assert.match(
      adviceFor(text, file),
      /install tsx \(npm install --save-dev tsx\) .* with npx tsx, a host with NODE_OPTIONS="--import tsx"/,
      text,
    );
});

it("says nothing of other errors", () => {
  for (const [text, file] of [
    ["RangeError: wrong", "/job.ts"],
    [UNKNOWN.replaceAll(".ts", ".css")],
    [SYNTAX.replace(".ts", ".js")],
    ["SyntaxError: Missing initializer", "/job.js"],
    // Of a Node that knows TypeScript.
    [SYNTAX.replace("SyntaxError:", "SyntaxError [ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX]:")],
  ])
    assert.equal(adviceFor(text, file), "", text);
});
