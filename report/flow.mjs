// The section of a flow: its graph as a drawing, and the same as a table.

import { byId, element, table } from "./dom.mjs";
import { layout, SIZE } from "./graph.mjs";
import { count, time } from "./text.mjs";

const SVG = "http://www.w3.org/2000/svg";

/** How far a frame is from its node. */
const GAP = 9;

/** The longest text in a node: more would not fit. */
const LONGEST = 22;

/** @param {string} name @param {Record<string, string | number>} attributes @param {...(Node | string)} children */
function svg(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

/** @param {number} some @param {string} what of them */
const several = (some, what) => `${count(some)} ${what}${some === 1 ? "" : "s"}`;

const short = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);

/** The name of a sink as people see it. */
const sinkName = (name) => name ?? "results";

/**
 * Nodes and sinks in one list, and the edges between them.
 * @param {any} graph as lib/master/nodes.js has it
 * @param {any[]} nodes the statistics
 */
function vertices({ edges, sinks, heads }, nodes) {
  const all = [
    ...nodes.map((node) => ({ node })),
    ...sinks.map((name) => ({ sink: sinkName(name) })),
  ];
  const ends = edges.map((edge) => {
    const to = typeof edge.to === "number" ? edge.to : nodes.length + edge.to.sink;
    return { ...edge, to };
  });
  return { all, edges: ends, heads: [...heads, ...sinks.map((_, at) => nodes.length + at)] };
}

/** Where most waits, if anything does. @param {any[]} nodes */
const slowest = (nodes) =>
  nodes.reduce((most, node) => (node.waited > (most?.waited ?? 0) ? node : most), undefined);

/** What a node says in its box, below its name. */
function linesOf(node) {
  const { kind, tags, events, failed, mean, heldUp, partOf } = node;
  const where = tags.length > 0 ? ` on ${tags.join(", ")}` : "";
  const bad = failed > 0 ? `, ${count(failed)} failed` : "";
  if (partOf !== undefined) return [`${kind}${where}`, bad.slice(2)];
  // What the master reduces no worker runs.
  const each = mean > 0 ? `${time(mean)} each` : "";
  const holds = heldUp > 0 ? `held others up ${time(heldUp)}` : "";
  return [`${kind}${where}`, `${several(events, "event")}${bad}`, each, holds];
}

/** All of a node, for its tooltip and those who hear the page. */
function described(node, isSlowest) {
  const { name, partOf, answered, retried, waiting, running, made, waited, held, spilled } = node;
  return [
    `${name}: ${linesOf(node).filter(Boolean).join(", ")}`,
    partOf === undefined ? "" : `runs in the events of ${partOf}`,
    `${count(answered)} answered, ${count(retried)} retries, ${count(made)} items made`,
    waiting + running > 0 ? `${count(waiting)} waiting, ${count(running)} running` : "",
    waited > 0 ? `waited ${time(waited)} in all${isSlowest ? ", more than any other" : ""}` : "",
    held ? `${count(held.came)} items gathered` : "",
    spilled ? `${count(spilled.records)} records written, ${count(spilled.bytes)} bytes` : "",
  ]
    .filter(Boolean)
    .join("\n");
}

function drawnNode({ x, y }, { node, sink }, came, isSlowest) {
  const name = node ? node.name : sink;
  const lines = node ? linesOf(node) : ["sink", several(came, "item")];
  const { width, height } = SIZE;
  const text = svg("text", { x: x + 12, y: y + 22 }, svg("tspan", { class: "name" }, short(name)));
  for (const [at, line] of lines.entries()) {
    const isBad = at === 1 && node?.failed > 0;
    const look = isBad ? { class: "bad" } : {};
    text.append(svg("tspan", { x: x + 12, y: y + 38 + at * 15, ...look }, short(line)));
  }
  const title = node ? described(node, isSlowest) : `${name}: ${lines.join(", ")}`;
  const classes = ["node", node ? "" : "sink", isSlowest ? "slowest" : ""].filter(Boolean);
  return svg(
    "g",
    { class: classes.join(" "), role: "listitem", "aria-label": title },
    svg("title", {}, title),
    svg("rect", { x, y, width, height, rx: node ? 9 : 30 }),
    text,
  );
}

/** What is around a node that runs with others. */
function framed({ x, y }) {
  const size = { width: SIZE.width + 2 * GAP, height: SIZE.height + 2 * GAP };
  return svg("rect", { class: "frame", x: x - GAP, y: y - GAP, rx: 14, ...size });
}

/** What joins the frames of two such nodes. */
const pipe = (edge, places) => svg("path", { class: "pipe", d: curve(edge, places) });

function curve(edge, places) {
  const { width, height } = SIZE;
  const [from, to] = [places[edge.from], places[edge.to]];
  const [x1, y1, x2, y2] = [from.x + width, from.y + height / 2, to.x, to.y + height / 2];
  const bend = (x2 - x1) / 2;
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}

function drawnEdge(edge, places) {
  const { width, height } = SIZE;
  const [from, to] = [places[edge.from], places[edge.to]];
  const [x1, y1, x2, y2] = [from.x + width, from.y + height / 2, to.x, to.y + height / 2];
  const classes = ["edge", edge.isFused ? "fused" : "", edge.port === "errors" ? "errors" : ""];
  const label = [edge.port, edge.count === undefined ? undefined : count(edge.count)];
  const middle = { x: (x1 + x2) / 2, y: (y1 + y2) / 2 - 5, "text-anchor": "middle" };
  return svg(
    "g",
    { class: classes.filter(Boolean).join(" ") },
    svg("path", { d: curve(edge, places), "marker-end": "url(#arrow)" }),
    svg("text", middle, label.filter((part) => part !== undefined).join(": ")),
  );
}

function drawing(graph, nodes) {
  const { all, edges, heads } = vertices(graph, nodes);
  const { places, frames, width, height } = layout(all.length, edges, heads);
  const most = slowest(nodes);
  const came = (at) =>
    edges.filter(({ to }) => to === at).reduce((sum, edge) => sum + (edge.count ?? 0), 0);
  const arrow = svg(
    "marker",
    {
      id: "arrow",
      viewBox: "0 0 8 8",
      refX: 7,
      refY: 4,
      markerWidth: 8,
      markerHeight: 8,
      markerUnits: "userSpaceOnUse",
      orient: "auto",
    },
    svg("path", { d: "M0 0L8 4L0 8z" }),
  );
  return svg(
    "svg",
    {
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: "list",
      "aria-label": "Graph of the flow",
    },
    svg("defs", {}, arrow),
    ...frames.flat().map((at) => framed(places[at])),
    ...edges.filter(({ isFused }) => isFused).map((edge) => pipe(edge, places)),
    ...edges.map((edge) => drawnEdge(edge, places)),
    ...all.map((one, at) => drawnNode(places[at], one, came(at), one.node && one.node === most)),
  );
}

function tableOf(nodes) {
  const rows = nodes.map((node) => {
    const own = node.partOf === undefined;
    return [
      node.name,
      own ? node.kind : `${node.kind}, in ${node.partOf}`,
      node.tags.join(", "),
      count(node.events),
      count(node.failed),
      count(node.retried),
      own ? count(node.made) : "",
      own ? time(node.mean) : "",
      own ? time(node.longest) : "",
      own && node.waited !== undefined ? time(node.waited) : "",
      own ? time(node.heldUp) : "",
      node.spilled ? `${count(node.spilled.bytes)} bytes` : "",
      node.state,
    ];
  });
  const counts = ["#Events", "#Failed", "#Retries", "#Items made"];
  const times = ["#Mean", "#Longest", "#Waited in all", "#Held others up", "#Written"];
  return table(["Node", "Kind", "Tags", ...counts, ...times, "State"], rows, "Nodes of the flow");
}

/** Fills the section in, if the run had a flow. @param {any} data */
export function showFlow({ graph, statistics }) {
  const { nodes } = statistics;
  byId("flow-section").hidden = graph === undefined || nodes === undefined;
  if (graph === undefined || nodes === undefined) return;
  const box = element("div.graph", drawing(graph, nodes));
  // Makes it scrollable with the keyboard.
  box.tabIndex = 0;
  const most = slowest(nodes);
  const hint = most ? ` Events waited longest for ${most.name}: ${time(most.waited)} in all.` : "";
  byId("flow").append(
    element("p.hint", `Nodes in one frame run as one, in the same events.${hint}`),
    box,
    tableOf(nodes),
  );
}
