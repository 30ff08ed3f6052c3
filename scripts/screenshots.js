"use strict";
// Takes the pictures of the dashboard in docs/images from a run of scripts/screenshots/job.js, in light and in dark mode. Needs Chromium.

const { spawn } = require("child_process");
const fs = require("fs");
const path = require("path");
const { chromium } = require("playwright-core");

const ROOT = path.join(__dirname, "..");
const CHROMIUM = process.env.CHROMIUM || "/usr/bin/chromium";

/** Seconds after which there is something to see. */
const SEEN = 30;

/** The largest picture, in bytes: it is downloaded with the README. */
const LARGEST = 150_000;

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

async function picture(browser, url, colorScheme) {
  const page = await browser.newPage({ colorScheme, viewport: { width: 1080, height: 1180 } });
  await page.goto(url);
  await wait(SEEN);
  const file = path.join(ROOT, "docs", "images", `dashboard-${colorScheme}.png`);
  await page.screenshot({ path: file });
  await page.close();
  const { size } = fs.statSync(file);
  console.log(`${path.relative(ROOT, file)}: ${size} bytes`);
  if (size > LARGEST) throw new Error(`it is larger than ${LARGEST} bytes`);
}

async function main() {
  const program = spawn(process.execPath, [path.join(__dirname, "screenshots", "job.js")], {
    env: { ...process.env, QUIET: "1" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  try {
    const url = await addressOf(program);
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
    try {
      await Promise.all(["light", "dark"].map((scheme) => picture(browser, url, scheme)));
    } finally {
      await browser.close();
    }
  } finally {
    program.kill();
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
