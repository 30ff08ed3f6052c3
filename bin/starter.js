"use strict";
// The program that `init` writes, in the four ways in which it can be written: as a CommonJS or an ES module, with
// types or without.

const NAME = "@tiemma/sonic-distribute";

/**
 * @param {object} way
 * @param {string} way.command how it is run
 * @param {boolean} way.isModule
 * @param {boolean} way.isTyped with types that can be stripped, so that Node runs it as it is
 */
function starter({ command, isModule, isTyped }) {
  const types = (/** @type {string} */ text) => (isTyped ? text : "");
  return `// Counts the words of the files that are named on the command line, on all processors.
//
//   ${command} README.md …

${imports(isModule, isTyped)}
${types("\ntype Args = { files: string[] };\n")}
// In the master: one event for each file. \`await\` keeps it from running ahead of the workers.
const masterFn${types(": MasterFn<Args>")} = async (workerQueue, { files }) => {
  for (const file of files) await send(workerQueue, { data: file });
};

// In a worker, for every event. What it returns is the response.
const countWords${types(": WorkerFn<Args, string, number>")} = ({ data: file }) =>
  readFileSync(file, "utf8").split(/\\s+/).filter(Boolean).length;

// In the master, when every event is answered.
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

// Workers run this program too, from its first line on. What only the master should do belongs into
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
  // A line of its own, which goes as a whole where types are stripped.
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
