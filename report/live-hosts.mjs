// The machines of a cluster on a live page: which there are, what they have to do, and those that were lost or have left.

import { element } from "./dom.mjs";
import { count } from "./text.mjs";

export const HEADS = ["Host", "State", "#Workers", "#At once", "#Running", "#With it", "#Answered"];

/** A row for each host of some pools. */
export const hostRows = (pools) =>
  pools.flatMap(({ info: { hosts = [] } }) =>
    hosts.map(({ name, state, workers, places, running, events, answered }) => [
      element("div.text", name),
      state,
      ...[workers, places, running, events, answered].map(count),
    ]),
  );
