"use strict";
/** Debian's Chromium, driven by playwright-core: pages of this machine's files, and what they did. */
const fs = require("node:fs");
const { chromium } = require("playwright-core");
const { install } = require("./debian");

const PATH = "/usr/bin/chromium";

const hasBrowser = () => fs.existsSync(PATH);

function installBrowser() {
  if (!hasBrowser()) install("chromium", "fonts-dejavu-core");
}

class Browser {
  static async start() {
    // Its sandbox needs what containers do not give, and root may not use it.
    return new Browser(await chromium.launch({ executablePath: PATH, args: ["--no-sandbox"] }));
  }

  constructor(chrome) {
    this.chrome = chrome;
  }

  /**
   * Opens a file, or an address. `said` and `asked` are what it writes to its console, errors included, and what it asks for.
   * @param {string} file
   * @param {{ colorScheme?: "light" | "dark", width?: number }} look
   */
  async open(file, { colorScheme = "light", width = 1280 } = {}) {
    const page = await this.chrome.newPage({ colorScheme, viewport: { width, height: 900 } });
    const said = [];
    const asked = [];
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(error.stack));
    page.on("request", (request) => asked.push(request.url()));
    const url = file.startsWith("http:") ? file : `file://${file}`;
    await page.goto(url);
    // Two frames: what is drawn in one that was asked for is there.
    await page.evaluate(
      () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
    );
    return { page, said, asked, url };
  }

  stop() {
    return this.chrome.close();
  }
}

module.exports = { Browser, hasBrowser, installBrowser };
