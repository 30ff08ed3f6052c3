"use strict";
/**
 * What runs a Node for Windows where there is no Windows: wine, and the binary as mingw-w64 makes it. It owns
 * `target/wine`; everything is made there once.
 */
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const { ROOT } = require("../support/workspace");

const FOLDER = path.join(ROOT, "target", "wine");
const PREFIX = path.join(FOLDER, "prefix");
const TARGET = "x86_64-pc-windows-gnu";
const MINGW = "x86_64-w64-mingw32";
const BINARY = path.join(FOLDER, "sonic-distribute.node");

/** Wine 8 has no such library, which Rust takes random numbers from. */
const PRNG = `#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T len) {
  return SystemFunction036(bytes, (ULONG) len);
}
`;

/** A file as Windows names it. @param {string} file */
const named = (file) => `Z:${file.replace(/\//g, "\\")}`;

/** What a program under wine has in its environment. @returns {Record<string, string>} */
const environment = () => ({
  WINEPREFIX: PREFIX,
  WINEDEBUG: "-all",
  // Wine says that it is an older Windows than newer Nodes run on.
  NODE_SKIP_PLATFORM_CHECK: "1",
  NAPI_RS_NATIVE_LIBRARY_PATH: named(BINARY),
});

/** What cargo has to know. */
const build = () => ({
  ...process.env,
  ...environment(),
  LIBNODE_PATH: path.join(FOLDER, "libnode"),
  CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER: "wine",
});

/** Runs the tests of the core. */
function testCore() {
  execFileSync("cargo", ["test", "--target", TARGET], {
    cwd: ROOT,
    env: build(),
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Builds the binary, and makes a folder for wine to be a Windows in. */
function prepare() {
  /** @type {import("node:child_process").ExecFileSyncOptions} */
  const inherit = { stdio: "inherit", cwd: ROOT };
  fs.mkdirSync(FOLDER, { recursive: true });
  // napi-build wants Node as a library here, though nothing of it is linked.
  const library = path.join(FOLDER, "libnode");
  fs.mkdirSync(library, { recursive: true });
  fs.writeFileSync(path.join(library, "libnode.dll"), "");
  fs.writeFileSync(path.join(library, "node.def"), "LIBRARY node.exe\nEXPORTS\n");
  execFileSync(`${MINGW}-dlltool`, ["-d", "node.def", "-l", "libnode.dll.a"], { cwd: library });
  execFileSync("cargo", ["build", "--release", "--target", TARGET], { ...inherit, env: build() });
  fs.copyFileSync(path.join(ROOT, "target", TARGET, "release", "sonic_distribute.dll"), BINARY);
  if (fs.existsSync(PREFIX)) return;
  const aside = `${PREFIX}.new`;
  fs.rmSync(aside, { recursive: true, force: true });
  /** @type {import("node:child_process").ExecFileSyncOptions} */
  const wine = {
    ...inherit,
    stdio: "ignore",
    env: { ...process.env, ...environment(), WINEPREFIX: aside },
  };
  execFileSync("wineboot", ["--init"], wine);
  execFileSync("wineserver", ["--wait"], wine);
  const source = path.join(FOLDER, "bcryptprimitives.c");
  fs.writeFileSync(source, PRNG);
  const shim = path.join(aside, "drive_c/windows/system32/bcryptprimitives.dll");
  execFileSync(`${MINGW}-gcc`, ["-shared", "-O2", "-o", shim, source, "-ladvapi32"], inherit);
  fs.renameSync(aside, PREFIX);
}

module.exports = { environment, named, prepare, testCore };
