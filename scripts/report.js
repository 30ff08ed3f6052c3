"use strict";
// Makes lib/page.js, the page that a run is written into, out of report/ and uPlot: HTML that needs no other
// file, in a module, so that bundlers take it along. With --check it only says whether it is what it would make.

const { buildSync } = require("esbuild");
const fs = require("fs");
const path = require("path");

const ROOT = path.join(__dirname, "..");
const PAGE = path.join(ROOT, "lib", "page.js");

/** @param {string[]} segments */
const read = (...segments) => fs.readFileSync(path.join(ROOT, ...segments), "utf8");

/** @param {string} entry @param {string} kind */
function bundle(entry, kind) {
  const { outputFiles } = buildSync({
    entryPoints: [path.join(ROOT, "report", entry)],
    bundle: true,
    minify: true,
    write: false,
    outdir: "out",
    format: "iife",
    target: ["chrome100", "firefox100", "safari15.4"],
    legalComments: "none",
    charset: "utf8",
    logLevel: "warning",
  });
  const { text } = outputFiles.find(({ path: file }) => file.endsWith(kind));
  if (/<\/(script|style)/i.test(text)) throw new Error(`${entry} would end its element`);
  return text.trim();
}

function page() {
  const license = read("node_modules", "uplot", "LICENSE").trim();
  const parts = {
    "/*STYLE*/": bundle("page.css", ".css"),
    "/*SCRIPT*/": `/*! uPlot\n${license}\n*/\n${bundle("main.mjs", ".js")}`,
  };
  return read("report", "page.html").replace(/\/\*(STYLE|SCRIPT)\*\//g, (mark) => parts[mark]);
}

/** A line of it a line, so that changes can be seen. */
function moduleOf(text) {
  const lines = text.split("\n").map((line) => `  ${JSON.stringify(line)},\n`);
  const head = '"use strict";\n// Made by scripts/report.js of report/: change that.\n\n';
  return `${head}module.exports = [\n${lines.join("")}].join("\\n");\n`;
}

const made = moduleOf(page());
if (!process.argv.includes("--check")) fs.writeFileSync(PAGE, made);
else if (made !== fs.readFileSync(PAGE, "utf8")) {
  console.error("lib/page.js is not what scripts/report.js makes: npm run build:report");
  process.exitCode = 1;
}
