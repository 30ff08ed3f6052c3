// The drawing of a flow's graph: boxes for nodes and sinks, and what joins them. It makes SVG by what it is given, and knows no page; what
// is not known of a node or an edge is not drawn.

import { LOW, layout } from "./graph.mjs";
import { count, many, time } from "./text.mjs";

/**
 * Makes an element of SVG. Children are elements or text.
 * @typedef {(name: string, attributes: Record<string, string | number>, ...children: any[]) => any} Make
 */

/** How far a frame is from its node. */
const GAP = 9;

/** The longest text in a node: more would not fit. */
const LONGEST = 22;

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
export const slowest = (nodes) =>
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
  const came = events === undefined ? "" : many(events, "event");
  return [`${kind}${where}`, `${came}${bad}`, each, holds];
}

/** All of a node, for its tooltip and those who hear the page. */
function described(node, isSlowest) {
  const { name, partOf, answered, retried, waiting, running, made, waited, held, spilled } = node;
  return [
    `${name}: ${linesOf(node).filter(Boolean).join(", ")}`,
    partOf === undefined ? "" : `runs in the events of ${partOf}`,
    node.events === undefined
      ? ""
      : `${count(answered)} answered, ${count(retried)} retries, ${count(made)} items made`,
    waiting + running > 0 ? `${count(waiting)} waiting, ${count(running)} running` : "",
    waited > 0 ? `waited ${time(waited)} in all${isSlowest ? ", more than any other" : ""}` : "",
    held ? `${count(held.came)} items gathered` : "",
    spilled ? `${count(spilled.records)} records written, ${count(spilled.bytes)} bytes` : "",
  ]
    .filter(Boolean)
    .join("\n");
}

/** @param {Make} svg */
function drawnNode(svg, { x, y, width, height }, { node, sink }, came, isSlowest) {
  const name = node ? node.name : sink;
  const items = came === undefined ? "" : many(came, "item");
  const lines = node ? linesOf(node) : ["sink", items];
  const spans = lines.map((line, at) => {
    const look = at === 1 && node?.failed > 0 ? { class: "bad" } : {};
    return svg("tspan", { x: x + 12, y: y + 38 + at * 15, ...look }, short(line));
  });
  const own = svg("tspan", { class: "name" }, short(name));
  const text = svg("text", { x: x + 12, y: y + 22 }, own, ...spans.filter((_, at) => lines[at]));
  const title = node ? described(node, isSlowest) : `${name}: ${lines.filter(Boolean).join(", ")}`;
  const classes = ["node", node ? "" : "sink", isSlowest ? "slowest" : ""].filter(Boolean);
  return svg(
    "g",
    { class: classes.join(" "), role: "listitem", "aria-label": title },
    svg("title", {}, title),
    svg("rect", { x, y, width, height, rx: node ? 9 : height / 3 }),
    text,
  );
}

/** What is around a node that runs with others. @param {Make} svg */
function framed(svg, { x, y, width, height }) {
  const size = { width: width + 2 * GAP, height: height + 2 * GAP };
  return svg("rect", { class: "frame", x: x - GAP, y: y - GAP, rx: 14, ...size });
}

/** What joins the frames of two such nodes. @param {Make} svg */
const pipe = (svg, edge, places) => svg("path", { class: "pipe", d: curve(edge, places) });

/** Where an edge begins and ends. */
function endsOf(edge, places) {
  const [from, to] = [places[edge.from], places[edge.to]];
  return [from.x + from.width, from.y + from.height / 2, to.x, to.y + to.height / 2];
}

function curve(edge, places) {
  const [x1, y1, x2, y2] = endsOf(edge, places);
  const bend = (x2 - x1) / 2;
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}

/** @param {Make} svg */
function drawnEdge(svg, edge, places) {
  const [x1, y1, x2, y2] = endsOf(edge, places);
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

/**
 * @param {Make} svg
 * @param {any} graph as lib/master/nodes.js has it
 * @param {any[]} nodes the statistics
 * @param {Record<string, string>} [own] attributes of the whole
 * @param {...any} before what comes before all else
 */
export function drawing(svg, graph, nodes, own = {}, ...before) {
  const { all, edges, heads } = vertices(graph, nodes);
  const isCounted = nodes.some(({ events }) => events !== undefined);
  const low = isCounted ? undefined : LOW;
  const { places, frames, width, height } = layout(all.length, edges, heads, low);
  const most = slowest(nodes);
  const came = (at) =>
    isCounted
      ? edges.filter(({ to }) => to === at).reduce((sum, edge) => sum + (edge.count ?? 0), 0)
      : undefined;
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
      ...own,
    },
    ...before,
    svg("defs", {}, arrow),
    ...frames.flat().map((at) => framed(svg, places[at])),
    ...edges.filter(({ isFused }) => isFused).map((edge) => pipe(svg, edge, places)),
    ...edges.map((edge) => drawnEdge(svg, edge, places)),
    ...all.map((one, at) =>
      drawnNode(svg, places[at], one, came(at), one.node && one.node === most),
    ),
  );
}
