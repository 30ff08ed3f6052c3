// What a row of the picture looks like. It knows nothing of workers.

export interface View {
  width: number;
  height: number;
  /** How many steps are taken before a point counts as one of the set. */
  depth: number;
}

/** What of the plane is seen: all of the set. */
const LEFT = -2.2;
const SPAN = 3.2;

/** One byte a pixel: 0 in the set, and the brighter the sooner a point is known to be outside. */
export function row(y: number, { width, height, depth }: View): Uint8Array {
  const pixels = new Uint8Array(width);
  const scale = SPAN / width;
  for (let x = 0; x < width; x++) {
    const steps = escape(LEFT + x * scale, (y - height / 2) * scale, depth);
    pixels[x] =
      steps === depth ? 0 : 55 + Math.round((200 * Math.log1p(steps)) / Math.log1p(depth));
  }
  return pixels;
}

function escape(a: number, b: number, depth: number): number {
  let [re, im] = [0, 0];
  for (let step = 0; step < depth; step++) {
    const [re2, im2] = [re * re, im * im];
    if (re2 + im2 > 4) return step;
    im = 2 * re * im + b;
    re = re2 - im2 + a;
  }
  return depth;
}
