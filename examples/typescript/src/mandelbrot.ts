// Computes a row of the picture. It knows nothing about workers.

export interface View {
  width: number;
  height: number;
  /** How many steps a point must survive to count as part of the set. */
  depth: number;
}

/** The visible part of the plane: the whole set. */
const LEFT = -2.2;
const SPAN = 3.2;

/** One byte per pixel: 0 in the set, and brighter the sooner a point leaves it. */
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
