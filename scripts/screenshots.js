"use strict";
// Takes the pictures of the dashboard in docs/images from a run of scripts/screenshots/job.js, in light and in dark mode and as on a
// telephone. Needs Chromium and pngquant. With a broker in SONIC_CLUSTER it takes that of the hosts of a program over several machines.

const { execFileSync, spawn } = require("child_process");
const fs = require("fs");
const path = require("path");
const { chromium } = require("playwright-core");

const ROOT = path.join(__dirname, "..");
const CHROMIUM = process.env.CHROMIUM || "/usr/bin/chromium";

/** Seconds after which there is something to see. */
const SEEN = 30;

/** The largest picture, in bytes: it is downloaded with the README. */
const LARGEST = 150_000;

const viewport = { width: 1080, height: 1180 };
const PICTURES = [
  { name: "dashboard-light", colorScheme: "light", viewport },
  { name: "dashboard-dark", colorScheme: "dark", viewport },
  { name: "dashboard-telephone", colorScheme: "light", viewport: { width: 390, height: 844 } },
];

const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** The address that the program says. */
function addressOf(program) {
  return new Promise((resolve, reject) => {
    let text = "";
    program.stderr.setEncoding("utf8").on("data", (piece) => {
      text += piece;
      const [, url] = /dashboard at (\S+)/.exec(text) || [];
      if (url !== undefined) resolve(url);
    });
    program.on("exit", () => reject(new Error(`the program has ended:\n${text}`)));
  });
}

/** Reduces a picture to few colours, as a page has: a third of its size. @param {string} file */
function shrink(file) {
  execFileSync("pngquant", ["--force", "--skip-if-larger", "--speed", "1", "--output", file, file]);
  const { size } = fs.statSync(file);
  console.log(`${path.relative(ROOT, file)}: ${size} bytes`);
  if (size > LARGEST) throw new Error(`it is larger than ${LARGEST} bytes`);
}

async function picture(browser, url, { name, show, ...options }) {
  const page = await browser.newPage(options);
  await page.goto(url);
  await wait(SEEN);
  const file = path.join(ROOT, "docs", "images", `${name}.png`);
  await (show === undefined ? page : page.locator(show)).screenshot({ path: file });
  await page.close();
  shrink(file);
}

/** Starts a program of scripts/screenshots, and takes pictures of its dashboard. */
async function shoot(browser, program, pictures) {
  const running = spawn(process.execPath, [path.join(__dirname, "screenshots", program)], {
    env: { ...process.env, QUIET: "1" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  try {
    const url = await addressOf(running);
    await Promise.all(pictures.map((one) => picture(browser, url, one)));
  } finally {
    running.kill();
  }
}

/** The same of a program over several machines, each of which is a process here. */
async function shootHosts(browser) {
  const [bin, program] = ["../bin/sonic-distribute.js", "screenshots/hosts.js"].map((file) =>
    path.join(__dirname, file),
  );
  const hosts = Object.entries({ blue: 2, green: 4, red: 1 }).map(([name, workers]) => {
    const args = [bin, "host", "--name", name, "--workers", String(workers), program];
    return spawn(process.execPath, args, { stdio: "ignore" });
  });
  try {
    const leaves = wait(SEEN / 2).then(() => hosts[2].kill());
    await shoot(browser, "hosts.js", [
      { name: "dashboard-hosts", show: "#hosts-section", colorScheme: "light", viewport },
    ]);
    await leaves;
  } finally {
    for (const host of hosts) host.kill();
  }
}

async function main() {
  const { SONIC_CLUSTER } = process.env;
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  try {
    if (SONIC_CLUSTER) await shootHosts(browser);
    else await shoot(browser, "job.js", PICTURES);
  } finally {
    await browser.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
