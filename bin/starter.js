"use strict";
// The program that `init` writes, in four variants: CommonJS or ES module, with or without types.

const NAME = "@tiemma/sonic-distribute";

/**
 * @param {object} way
 * @param {string} way.command the command that runs it
 * @param {boolean} way.isModule
 * @param {boolean} way.isTyped has types, written so that Node can strip them
 */
function starter({ command, isModule, isTyped }) {
  const types = (/** @type {string} */ text) => (isTyped ? text : "");
  return `// Counts the words of the given files, on all processors.
//
//   ${command} README.md …

${imports(isModule, isTyped)}
${types("\ntype Args = { files: string[] };\n")}
// Runs in the master: sends one event per file. \`await\` keeps the loop from running ahead of the workers.
const masterFn${types(": MasterFn<Args>")} = async (workerQueue, { files }) => {
  for (const file of files) await send(workerQueue, { data: file });
};

// Runs in a worker, once per event. The return value is the response.
const countWords${types(": WorkerFn<Args, string, number>")} = ({ data: file }) =>
  readFileSync(file, "utf8").split(/\\s+/).filter(Boolean).length;

// Runs in the master, when every event is answered.
const reduceFn${types(": ReduceFn<string, number, number>")} = (results, failed) => {
  let words = 0;
  while (!results.isEmpty()) words += results.dequeue().response;
  while (!failed.isEmpty()) {
    const { data, error } = failed.dequeue();
    console.error(\`\${data}: \${error${isTyped ? "?" : ""}.message}\`);
    process.exitCode = 1;
  }
  return words;
};

// Workers run this program too, from its first line. Put code that only the master should run behind
// \`if (isMaster())\`.
const [, program, ...named] = process.argv;
const files = named.length > 0 ? named : [program];

MapReduce(masterFn, [countWords], reduceFn, { files }).then((words) => {
  if (isMaster()) console.log(\`\${words} words\`);
});
`;
}

/**
 * @param {boolean} isModule
 * @param {boolean} isTyped
 */
function imports(isModule, isTyped) {
  // A separate line, so that stripping types removes all of it.
  const types = isTyped ? `\nimport type { MasterFn, ReduceFn, WorkerFn } from "${NAME}";` : "";
  if (isModule) {
    return `import { readFileSync } from "fs";
import { isMaster, Map as send, MapReduce } from "${NAME}";${types}`;
  }
  if (!isTyped) {
    return `const { readFileSync } = require("fs");
const { isMaster, Map: send, MapReduce } = require("${NAME}");`;
  }
  // Not `import x = require()`: Node cannot strip that.
  return `const { readFileSync } = require("fs") as typeof import("fs");
const { isMaster, Map: send, MapReduce } =
  require("${NAME}") as typeof import("${NAME}");${types}`;
}

module.exports = { NAME, starter };
