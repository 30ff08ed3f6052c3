/**
 * Crawls a site: reads every page once, and ends when no page has a link to a new one. Without URL it crawls a site of
 * 5,000 pages that it serves itself.
 *
 *   node examples/crawler.js [--workers N] [--check] [URL]
 *
 * Each worker reads 32 pages at once. `--check` verifies that each page of the own site was counted once.
 *
 * Pages link in circles, so one process has to know which pages were found: the master. It gets the links of each page,
 * and calls the workers for those that are new.
 *
 * `task.emit` is for work without circles, such as a tree of folders. Here it would add a page again for each link to it,
 * without end. A set of pages in each worker would not help: it lacks the pages of the others, and is lost with its worker.
 */
"use strict";

const { once } = require("node:events");
const http = require("node:http");
const { isDeepStrictEqual, parseArgs } = require("node:util");

// In a program of your own: require("@tiemma/sonic-distribute")
const { createPool, NUM_CPUS } = require("..");

const PAGES = 5000;
const LINKS = 8;

/** Runs in a worker, for each page. */
async function read({ data: url }, _args, task) {
  const response = await fetch(url, { signal: task.signal });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const html = await response.text();
  const [, title = ""] = /<title>(.*?)<\/title>/s.exec(html) ?? [];
  const words = html.replace(/<[^>]*>/g, " ").match(/\p{L}+/gu)?.length ?? 0;
  return { title, words, links: linksOf(html, url) };
}

/** The pages of the same site that a page links to, without what comes after `#`. */
function linksOf(html, base) {
  const links = new Set();
  for (const [, href] of html.matchAll(/<a\s[^>]*?href="([^"]*)"/g)) {
    if (!URL.canParse(href, base)) continue;
    const link = new URL(href, base);
    link.hash = "";
    if (link.origin === new URL(base).origin) links.add(link.href);
  }
  return [...links];
}

/** Runs in the master. The promise resolves when all pages are read that can be reached from `start`. */
async function crawl(pool, start) {
  const found = new Set();
  const pages = [];
  const failures = [];

  const visit = async (url) => {
    if (found.has(url)) return;
    found.add(url);
    try {
      const { links, ...page } = await pool.call(read, url);
      pages.push({ url, ...page });
      await Promise.all(links.map(visit));
    } catch (error) {
      failures.push({ url, error });
    }
  };
  await visit(start);
  return { pages, failures };
}

async function main() {
  const { workers, check, url } = readArguments();
  const pool = await createPool(
    { read },
    { numWorkers: workers, concurrency: 32, retries: 2, taskTimeout: 30_000 },
  );
  // The workers never come here: the program has one server.
  const site = url === undefined ? await serve() : undefined;
  try {
    const began = performance.now();
    const { pages, failures } = await crawl(pool, url ?? site.url);
    const seconds = (performance.now() - began) / 1000;
    for (const { url, error } of failures) console.error(`failed: ${url}: ${error.message}`);
    const words = pages.reduce((sum, page) => sum + page.words, 0);
    console.log(`${pages.length} pages, ${words} words`);
    console.log(`${workers} workers: ${seconds.toFixed(2)} s`);
    if (failures.length > 0) throw new Error(`${failures.length} pages could not be read`);
    if (check) verify(pages, site.url);
  } finally {
    await pool.close();
    site?.server.close();
  }
}

/** Every page of the site has a link from the page before it, so all of them can be reached. */
function verify(pages, site) {
  const byNumber = (a, b) => a.number - b.number;
  const counted = pages.map(({ url, title, words }) => ({
    number: Number(new URL(url).pathname.slice(1)),
    title,
    words,
  }));
  const expected = Array.from({ length: PAGES }, (_, number) => ({
    number,
    title: `Page ${number}`,
    words: 2 + LINKS, // in the title "Page", in the heading "page", and one word in each link
  }));
  if (!isDeepStrictEqual(counted.sort(byNumber), expected)) {
    throw new Error(`not all pages of ${site} were counted once`);
  }
  console.log(`verified: each of the ${PAGES} pages was counted once`);
}

/** A site with many circles: a page links to the next one, and to others all over the site. */
async function serve() {
  const server = http.createServer(({ url }, response) => {
    const number = Number(url.slice(1));
    if (!(number < PAGES)) return response.writeHead(404).end();
    response.setHeader("content-type", "text/html");
    response.end(pageOf(number));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, url: `http://127.0.0.1:${server.address().port}/0` };
}

function pageOf(number) {
  const links = Array.from({ length: LINKS }, (_, at) => (number * (at + 1) + at * at + 1) % PAGES);
  const list = links.map((to) => `<li><a href="/${to}#top">to ${to}</a></li>`);
  return `<title>Page ${number}</title><h1>page ${number}</h1><ul>${list.join("")}</ul>`;
}

function readArguments() {
  const options = {
    workers: { type: "string", default: String(Math.max(NUM_CPUS, 2)) },
    check: { type: "boolean", default: false },
  };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [given] = positionals;
  if (given !== undefined && values.check) throw new Error("--check is for the own site");
  const url = given === undefined ? undefined : new URL(given).href;
  return { workers: Number(values.workers), check: values.check, url };
}

main().catch((error) => {
  console.error(`crawler: ${error.message}`);
  process.exitCode = 1;
});
