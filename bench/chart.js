"use strict";
// Draws the results as an SVG: for each case, how many times as fast as fork everybody was. On a
// background of its own, so that it can be read on a light page and on a dark one.

const OURS = "#d9480f";
const OTHERS = "#4c78a8";
const COLUMNS = 3;

/** @returns {Promise<string>} */
async function draw(report) {
  const vega = await import("vega");
  const vegaLite = await import("vega-lite");
  const { spec } = vegaLite.compile(chartOf(report));
  const view = new vega.View(vega.parse(spec), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  return svg;
}

function chartOf({ date, node, machine, cases }) {
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    background: "white",
    padding: 16,
    title: {
      text: "Times as fast as child_process.fork (held: times as small as objects in an array)",
      subtitle: [
        `${machine.processors} x ${machine.model}, Node.js ${node}, ${date.slice(0, 10)}`,
        "More is better. The scales are logarithmic, and the bars begin at 1, which is the base itself.",
      ],
      anchor: "start",
      offset: 20,
    },
    columns: COLUMNS,
    concat: cases
      // What features cost is nothing that others have.
      .filter(({ workload }) => workload !== "features")
      .map(panelOf)
      .filter(({ data }) => data.values.length > 0),
    config: {
      axis: { grid: false, labelOverlap: true },
      concat: { spacing: 24 },
      view: { stroke: "#dddddd" },
    },
  };
}

function panelOf({ workload, workers, events, base, results }) {
  const values = results
    .filter(({ ratio }) => Number.isFinite(ratio))
    .map(({ title, contestant, ratio }) => ({
      title,
      ratio,
      label: ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2),
      // To the right of its bar, which is to the left of the base for whoever is slower.
      labelAt: Math.max(ratio, 1),
      isOurs: contestant === "ours",
    }));
  const most = Math.max(...values.map(({ ratio }) => ratio), 1);
  const least = Math.min(...values.map(({ ratio }) => ratio), 1);
  // Room for the label of the longest bar.
  const scale = { type: "log", domain: [least / 1.1, most * (most / least) ** 0.2 * 1.1] };
  const at = (field) => ({ field, type: "quantitative", scale, title: null });
  const y = { field: "title", type: "nominal", sort: null, title: null };
  const color = { condition: { test: "datum.isOurs", value: OURS }, value: OTHERS };
  const counts = `${events.toLocaleString("en")} events, ${workers} worker${workers > 1 ? "s" : ""}`;
  return {
    title: { text: workload, subtitle: `${counts}; 1 is ${base}`, anchor: "start" },
    width: 210,
    height: { step: 15 },
    data: { values },
    layer: [
      { mark: "bar", encoding: { y, x: at("ratio"), x2: { datum: 1 }, color } },
      {
        mark: { type: "text", align: "left", dx: 4, fontSize: 9 },
        encoding: { y, x: at("labelAt"), text: { field: "label" } },
      },
    ],
  };
}

module.exports = { draw };
