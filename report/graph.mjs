// Where the nodes of a flow are drawn: pure, it knows numbers and no page. Nodes are in columns from left to right, each behind all that
// lead to it.

/** The size of a node, and what is between two, in pixels. */
export const SIZE = { width: 168, height: 96, across: 72, down: 26 };

/** The height of a node of which nothing was counted. */
export const LOW = 54;

/** How often the nodes of all columns are sorted by their neighbours: few graphs change after that. */
const SWEEPS = 8;

/**
 * @typedef {{ from: number, to: number }} Edge
 * @typedef {{ x: number, y: number, width: number, height: number }} Place of a node: its upper left corner, and its size
 */

/**
 * The column of each node: one more than that of the last node before it.
 * @param {number} count of nodes
 * @param {Edge[]} edges without a circle
 */
export function columnsOf(count, edges) {
  const columns = new Array(count).fill(0);
  // A path has fewer edges than there are nodes.
  for (let round = 0; round < count; round++) {
    let isDone = true;
    for (const { from, to } of edges) {
      if (columns[to] > columns[from]) continue;
      columns[to] = columns[from] + 1;
      isDone = false;
    }
    if (isDone) break;
  }
  return columns;
}

/**
 * The nodes of each column from top to bottom, near those that they are connected to: sorted by the mean row of these.
 * @param {number[]} columns
 * @param {Edge[]} edges
 */
export function rowsOf(columns, edges) {
  const layers = Array.from({ length: Math.max(0, ...columns.map((at) => at + 1)) }, () => []);
  columns.forEach((column, node) => {
    layers[column].push(node);
  });
  const rows = new Array(columns.length).fill(0);
  const number = (layer) =>
    layer.forEach((node, row) => {
      rows[node] = row - (layer.length - 1) / 2;
    });
  layers.forEach(number);
  const mean = (node, [own, other]) => {
    const near = edges.filter((edge) => edge[own] === node).map((edge) => rows[edge[other]]);
    return near.length === 0 ? rows[node] : near.reduce((a, b) => a + b, 0) / near.length;
  };
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const isForth = sweep % 2 === 0;
    /** @type {[string, string]} */
    const ends = isForth ? ["to", "from"] : ["from", "to"];
    for (const layer of isForth ? layers : [...layers].reverse()) {
      const means = new Map(layer.map((node) => [node, mean(node, ends)]));
      layer.sort((a, b) => means.get(a) - means.get(b) || rows[a] - rows[b]);
      number(layer);
    }
  }
  return layers;
}

/**
 * Places for all nodes, and which of them run as one.
 * @param {number} count of nodes
 * @param {Edge[]} edges
 * @param {number[]} heads of each node the first one of those that it runs with
 * @param {number} [height] of a node
 * @returns {{ places: Place[], frames: number[][], width: number, height: number }}
 */
export function layout(count, edges, heads, height = SIZE.height) {
  const { width, across, down } = SIZE;
  const layers = rowsOf(columnsOf(count, edges), edges);
  const most = Math.max(0, ...layers.map((layer) => layer.length));
  const places = new Array(count);
  layers.forEach((layer, column) => {
    const top = ((most - layer.length) * (height + down)) / 2 + down;
    layer.forEach((node, row) => {
      const x = across / 2 + column * (width + across);
      places[node] = { x, y: top + row * (height + down), width, height };
    });
  });
  const groups = new Map();
  heads.forEach((head, node) => {
    groups.set(head, [...(groups.get(head) ?? []), node]);
  });
  const frames = [...groups.values()].filter((nodes) => nodes.length > 1);
  return {
    places,
    frames,
    width: layers.length * (width + across),
    height: most * (height + down) + down,
  };
}
