// Formats numbers and times.

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

/** @param {number} value */
export const count = (value) => whole.format(Math.round(value));

/** So many of something: "1 worker", "2 workers". @param {number} value @param {string} one */
export const many = (value, one, several = `${one}s`) =>
  `${count(value)} ${Math.round(value) === 1 ? one : several}`;

/** @param {number} bytes */
export const bytes = (bytes) => (bytes > 0 ? `${about(bytes / 2 ** 20)} MiB` : "–");

/** A rounded figure. @param {number} value */
export const about = (value) => (value >= 1000 ? count(value) : short.format(value));

/** @param {number} share from 0 to 1 */
export const percent = (share) => `${short.format(Math.round(share * 1000) / 10)} %`;

/** @param {number} ms */
export function time(ms) {
  if (!Number.isFinite(ms)) return "–";
  const size = Math.abs(ms);
  if (size === 0) return "0";
  if (size < 0.9995) return `${short.format(ms * 1000)} µs`;
  if (size < 999.5) return `${short.format(ms)} ms`;
  if (size < 59_950) return `${short.format(ms / 1000)} s`;
  const seconds = Math.round(size / 1000);
  const minutes = Math.floor(seconds / 60) % 60;
  const hours = Math.floor(seconds / 3600);
  const rest = hours > 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return hours > 0 ? `${hours} h ${rest}` : rest;
}

/** A worker, with its machine if that is another one. @param {number} id @param {string | undefined} host */
export const workerName = (id, host) => (host === undefined ? `#${id}` : `${host}/${id}`);

/** The same in a sentence. @param {{ id: number, host?: string }} worker */
export const placeOf = ({ id, host }) => (host === undefined ? String(id) : workerName(id, host));

/** The label of a tick, on an axis whose ticks are `step` apart. @param {number} ms @param {number} step */
export function tick(ms, step) {
  const [unit, size] = step < 100 ? ["ms", 1] : ["s", 1000];
  const digits = Math.max(0, -Math.floor(Math.log10(step / size) + 1e-9));
  return `${(ms / size).toFixed(digits)} ${unit}`;
}

/** The step of 1, 2 or 5 times a power of ten that gives at most `most` ticks. */
export function stepOf(range, most) {
  const least = range / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(least));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= least * (1 - 1e-9));
}
