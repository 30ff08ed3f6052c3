"use strict";
// Draws the results as an SVG: for each case, how many times as fast as fork each contestant is. It has its
// own background, so that it is readable on light and dark pages.

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
        "Longer is better. The scales are logarithmic. The bars start at 1, the speed of fork.",
      ],
      anchor: "start",
      offset: 20,
    },
    columns: COLUMNS,
    concat: cases
      // Only this package has these features.
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
      // Right of the bar. A slower contestant's bar is left of 1, so its label is at 1.
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
