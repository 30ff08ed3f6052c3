// The section of a flow: its graph as a drawing, and the same as a table.

import { byId, element, table } from "./dom.mjs";
import { drawing, slowest } from "./drawing.mjs";
import { count, time } from "./text.mjs";

const SVG = "http://www.w3.org/2000/svg";

/** @param {string} name @param {Record<string, string | number>} attributes @param {...(Node | string)} children */
function svg(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
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
  const box = element("div.graph", drawing(svg, graph, nodes));
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
