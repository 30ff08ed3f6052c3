// The visible time range, shared by all charts with a time axis.

/** The factor of one zoom step. */
const STEP = 1.6;

/** The shortest visible range, in milliseconds. Times have a resolution of one microsecond. */
const SHORTEST = 0.02;

export class View {
  /** @param {number} end of the run, in milliseconds */
  constructor(end) {
    this.end = end;
    this.from = 0;
    this.to = end;
    this.listeners = [];
  }

  get length() {
    return this.to - this.from;
  }

  /** @param {() => void} listener called when the range changes */
  onChange(listener) {
    this.listeners.push(listener);
  }

  /** Shows a range, limited to the run. */
  show(from, to) {
    const length = Math.min(this.end, Math.max(to - from, Math.min(SHORTEST, this.end)));
    this.from = Math.min(Math.max(0, from), this.end - length);
    this.to = this.from + length;
    for (const listener of this.listeners) listener();
  }

  reset() {
    this.show(0, this.end);
  }

  /** Zooms in or out around a moment. */
  zoom(steps, around = (this.from + this.to) / 2) {
    const factor = STEP ** -steps;
    this.show(around - (around - this.from) * factor, around + (this.to - around) * factor);
  }

  /** Moves by a share of the visible range. */
  pan(part) {
    const by = this.length * part;
    this.show(this.from + by, this.to + by);
  }

  /** Handles a key. Returns whether it did something. */
  press(key) {
    const actions = {
      "+": () => this.zoom(1),
      "=": () => this.zoom(1),
      "-": () => this.zoom(-1),
      ArrowLeft: () => this.pan(-0.2),
      ArrowRight: () => this.pan(0.2),
      0: () => this.reset(),
      Home: () => this.reset(),
    };
    if (!Object.hasOwn(actions, key)) return false;
    actions[key]();
    return true;
  }
}
