"use strict";
/**
 * Promise: `npm run docs:site` makes a site of `docs/`. Every page is in its sidebar, every link and anchor leads
 * somewhere, the search finds words without a server, and no page asks another server for anything.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { after, before, describe, it } = require("node:test");

const { Browser, hasBrowser, installBrowser } = require("../support/browser");
const { runToSuccess } = require("../support/command");
const { DOCUMENTS } = require("../support/documents");
const { SITE, installFrom } = require("../support/packages");
const { ROOT, Workspace } = require("../support/workspace");

const REPOSITORY = "https://github.com/tiemma/sonic-distribute/tree/main/";
const PAGES = DOCUMENTS.filter((document) => document.startsWith("docs/")).map((document) =>
  document === "docs/README.md" ? "index.html" : `${path.basename(document, ".md")}.html`,
);
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

installBrowser();

describe("the site", () => {
  const site = new Workspace("site");
  after(() => site.remove());
  before(async () => {
    await installFrom(SITE);
    const args = ["scripts/site.js", "--out", site.folder];
    // VitePress fails if a page links to one that does not exist.
    await runToSuccess(process.execPath, args, { cwd: ROOT });
  });

  const textOf = (page) => fs.readFileSync(site.path(page), "utf8");
  const valuesOf = (page, attribute) =>
    [...textOf(page).matchAll(new RegExp(` ${attribute}="([^"]*)"`, "g"))].map(([, value]) =>
      value.replaceAll("&amp;", "&"),
    );

  it("has every page, and each page links to each in its sidebar", () => {
    for (const page of PAGES) {
      const links = new Set(valuesOf(page, "href"));
      for (const other of PAGES) {
        const address = other === "index.html" ? "/" : `/${other}`;
        assert.ok(links.has(address), `${page} has no link to ${address}`);
      }
    }
  });

  for (const page of PAGES) {
    it(`has no broken link or anchor in ${page}`, () => {
      for (const link of valuesOf(page, "href")) {
        if (/^(https?|mailto|data):/.test(link)) {
          const file = link.startsWith(REPOSITORY) ? link.slice(REPOSITORY.length) : "";
          assert.ok(fs.existsSync(path.join(ROOT, file.split("#")[0])), link);
          continue;
        }
        const { pathname, hash } = new URL(link, `http://site/${page}`);
        const target = pathname === "/" ? "index.html" : pathname.slice(1);
        assert.ok(fs.existsSync(site.path(target)), `${link}: there is no ${target}`);
        const anchor = decodeURIComponent(hash.slice(1));
        if (anchor !== "") assert.ok(valuesOf(target, "id").includes(anchor), link);
      }
    });
  }

  it("loads nothing from other servers", () => {
    for (const page of PAGES) {
      const loads = [
        ...valuesOf(page, "src"),
        ...[...textOf(page).matchAll(/<link [^>]*href="([^"]*)"/g)].map(([, address]) => address),
      ];
      assert.ok(loads.length > 0);
      for (const address of loads) assert.match(address, /^\/(?!\/)|^data:/);
    }
  });

  describe("in a browser", { skip: hasBrowser() ? false : "there is no Chromium here" }, () => {
    let browser;
    let server;
    before(async () => {
      browser = await Browser.start();
      server = http.createServer((request, response) => {
        const { pathname } = new URL(request.url, "http://site");
        const file = site.path(pathname === "/" ? "index.html" : pathname);
        if (!fs.existsSync(file)) return response.writeHead(404).end();
        const type = TYPES[path.extname(file)] ?? "application/octet-stream";
        response.writeHead(200, { "content-type": type }).end(fs.readFileSync(file));
      });
      await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    });
    after(async () => {
      await browser?.stop();
      server?.close();
    });

    it("finds words in all pages, without errors and other servers", async () => {
      const home = `http://127.0.0.1:${server.address().port}`;
      const { page, said, asked } = await browser.open(`${home}/start.html`);
      await page.locator("#local-search button").first().click();
      await page.locator("#localsearch-input").fill("ERR_SONIC_DEADLOCK");
      const found = page.locator("#localsearch-list a");
      await found.first().waitFor();
      await found.first().click();
      await page.waitForURL((url) => url.pathname !== "/start.html");
      assert.match(await page.locator("main").textContent(), /ERR_SONIC_DEADLOCK/);
      assert.deepEqual(said, []);
      assert.deepEqual(
        asked.filter((address) => !address.startsWith(home) && !address.startsWith("data:")),
        [],
      );
    });
  });
});
