/**
 * How the site is made from `docs/`. The pages are plain Markdown that reads well on GitHub too: a link to a file
 * outside of `docs/` becomes a link to the repository, and anchors are those of GitHub.
 */
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitepress";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.resolve(HERE, "../../..");
const DOCS = path.join(ROOT, "docs");
const REPOSITORY = "https://github.com/tiemma/sonic-distribute";

const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="M2 8h4m4-5H6v10h4" fill="none" stroke="#3451b2" stroke-width="2"/><circle cx="12" cy="3" r="2" fill="#3451b2"/><circle cx="12" cy="13" r="2" fill="#3451b2"/></svg>';

/** The pages in their order. A page that does not exist is left out. */
const SIDEBAR = [
  ["Start", ["README.md", "start.md", "faq.md", "comparison.md", "moving.md"]],
  ["Use", ["pool.md", "workers.md", "mapreduce.md", "flows.md", "synchronization.md"]],
  ["Long and large jobs", ["checkpoints.md", "cluster.md", "cluster-operations.md"]],
  ["Know what happens", ["observing.md", "reliability.md", "troubleshooting.md"]],
  ["Develop", ["typescript.md", "testing.md", "bundlers.md", "deploying.md"]],
  ["Reference", ["options.md", "api.md"]],
  ["The project", ["internals.md", "support.md"]],
];

const groups = SIDEBAR.map(([text, pages]) => ({
  text,
  items: pages.filter(isThere).map((page) => ({ text: titleOf(page), link: addressOf(page) })),
})).filter(({ items }) => items.length > 0);

const listed = SIDEBAR.flatMap(([, pages]) => pages);
const unlisted = fs
  .readdirSync(DOCS)
  .filter((name) => name.endsWith(".md") && !listed.includes(name));
if (unlisted.length > 0) throw new Error(`the sidebar has no place for ${unlisted.join(", ")}`);

export default defineConfig({
  title: "sonic-distribute",
  description: "Worker pools, MapReduce and flows for Node.js",
  lang: "en",
  base: process.env.SITE_BASE ?? "/",
  srcDir: DOCS,
  outDir: process.env.SITE_OUT ?? path.join(ROOT, "dist", "site"),
  rewrites: { "README.md": "index.md" },
  ignoreDeadLinks: false,
  lastUpdated: false,
  markdown: {
    languageAlias: { mjs: "javascript" },
    anchor: { slugify: anchorOf },
    config: (markdown) => markdown.core.ruler.push("repository_links", linkToRepository),
  },
  // Without it browsers ask for /favicon.ico.
  head: [["link", { rel: "icon", href: `data:image/svg+xml,${encodeURIComponent(ICON)}` }]],
  themeConfig: {
    sidebar: groups,
    outline: [2, 3],
    search: { provider: "local" },
    socialLinks: [{ icon: "github", link: REPOSITORY }],
    docFooter: { prev: "Before", next: "Next" },
  },
  vite: {
    plugins: [vueOfPages()],
    build: { chunkSizeWarningLimit: 5000 },
    logLevel: "warn",
  },
});

/** The pages lie outside of the folder that has Vue: it is looked for from here. */
function vueOfPages() {
  return {
    name: "vue-of-pages",
    enforce: "pre",
    resolveId(id, importer, { ssr }) {
      if (!/^vue(\/|$)/.test(id)) return undefined;
      if (ssr) return { id, external: true };
      if (!importer?.startsWith(DOCS)) return undefined;
      return this.resolve(id, fileURLToPath(import.meta.url), { skipSelf: true });
    },
  };
}

function isThere(page) {
  return fs.existsSync(path.join(DOCS, page));
}

function titleOf(page) {
  return /^# (.*)$/m.exec(fs.readFileSync(path.join(DOCS, page), "utf8"))[1];
}

function addressOf(page) {
  return page === "README.md" ? "/" : `/${path.basename(page, ".md")}`;
}

/** The anchor that GitHub gives a heading. */
function anchorOf(heading) {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "")
    .replaceAll(" ", "-");
}

/** Runs on the parsed page: `../SECURITY.md` is no page of the site. */
function linkToRepository({ tokens }) {
  const links = tokens.flatMap(({ children }) => children ?? []);
  for (const token of links.filter(({ type }) => type === "link_open")) {
    const address = token.attrGet("href");
    if (!address.startsWith("../")) continue;
    token.attrSet("href", `${REPOSITORY}/tree/main/${address.slice("../".length)}`);
    token.attrSet("target", "_blank");
    token.attrSet("rel", "noreferrer");
  }
}
