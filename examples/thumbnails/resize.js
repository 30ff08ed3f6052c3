"use strict";
/**
 * What the workers run, and nothing else. Each exported function is a stage.
 */
const fs = require("node:fs/promises");
const path = require("node:path");
const sharp = require("sharp");

// The pool has a worker for each processor. Threads in the workers would only compete for them.
sharp.concurrency(1);

/** Writes the thumbnail of a picture. A worker may die in the midst of it, so a thumbnail is whole or is not there. */
exports.resize = async ({ data: name }, { folder, out, width }) => {
  const target = path.join(out, `${name}.webp`);
  const part = `${target}.part`;
  await fs.mkdir(path.dirname(target), { recursive: true });
  const { size } = await sharp(path.join(folder, name))
    .rotate() // as the camera was held
    .resize({ width, withoutEnlargement: true })
    .webp()
    .toFile(part);
  await fs.rename(part, target);
  return size;
};
