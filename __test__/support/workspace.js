"use strict";
/**
 * A workspace: a temporary folder outside the tree, with a `node_modules` in which chosen packages are
 * links (or copies), so that a program in it sees this package as its users do. It owns the folder
 * and removes it; it never touches the tree.
 */
const fs = require("fs");
const os = require("os");
const path = require("path");

const ROOT = path.resolve(__dirname, "../..");
const MODULES = path.join(ROOT, "node_modules");

class Workspace {
  /** @param {string} name Part of the folder's name, for whoever finds one left behind. */
  constructor(name) {
    // Resolved: on some systems the temporary folder is a link, and runners compare real paths.
    this.folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), `sonic-${name}-`)));
  }

  /** @param {string[]} segments */
  path(...segments) {
    return path.join(this.folder, ...segments);
  }

  /** Writes a file and returns its path. */
  write(file, text) {
    const target = this.path(file);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, text);
    return target;
  }

  /** Copies a file or a folder in, under the name `as`, and returns its path there. */
  copy(source, as = path.basename(source)) {
    const target = this.path(as);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.cpSync(source, target, { recursive: true });
    return target;
  }

  /** Links a package into `node_modules` here, by default the one of that name in the tree. */
  link(name, source = path.join(MODULES, name)) {
    const target = this.path("node_modules", name);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.symlinkSync(source, target, "dir");
    return this;
  }

  /** Puts this package in as an install does: copied, and with nothing that is not packed. */
  installOurs() {
    const { files, name } = require(path.join(ROOT, "package.json"));
    const binaries = fs.readdirSync(ROOT).filter((file) => file.endsWith(".node"));
    for (const file of ["package.json", ...files, ...binaries]) {
      const source = path.join(ROOT, file);
      if (fs.existsSync(source)) this.copy(source, `node_modules/${name}/${file}`);
    }
    return this;
  }

  remove() {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

module.exports = { MODULES, ROOT, Workspace };
