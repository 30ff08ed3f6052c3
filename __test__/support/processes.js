"use strict";
/**
 * Finds the living processes that have a mark in their environment: every descendant inherits it, also one whose parent
 * is gone. It judges nothing, and kills nobody.
 */
const { execFileSync } = require("child_process");
const fs = require("fs");

/**
 * @param {string} mark `NAME=value`
 * @returns {{ pid: number, line: string }[]} The dead that nobody has waited for have no environment and do not count.
 */
function carrying(mark) {
  return process.platform === "linux" ? inProc(mark) : listed(mark);
}

function inProc(mark) {
  const found = [];
  for (const pid of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (!fs.readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(mark)) continue;
      const line = fs.readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0").join(" ");
      found.push({ pid: Number(pid), line: line.trim() });
    } catch {
      // Ended meanwhile, or not ours to read.
    }
  }
  return found;
}

/** macOS shows the environment of what is not its own: of Node's processes, and of no shell's. */
function listed(mark) {
  const lines = execFileSync("ps", ["-A", "-E", "-ww", "-o", "pid=,command="], {
    encoding: "latin1",
    maxBuffer: 1 << 26,
  });
  return lines
    .split("\n")
    .filter((line) => `${line} `.includes(` ${mark} `))
    .map((line) => {
      const [, pid, command] = /^\s*(\d+) (.*)$/.exec(line);
      return { pid: Number(pid), line: command.slice(0, 200) };
    });
}

/** Why a test is left out where its program looks into `/proc`. */
const NO_PROC =
  process.platform === "linux" ? false : "its program looks into /proc, which only Linux has";

module.exports = { carrying, NO_PROC };
