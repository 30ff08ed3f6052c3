/** Set by scripts/bundle.js. */
declare const SONIC_DISTRIBUTE_IS_BUILT: boolean | undefined;

// For the type-check of lib/: the packages of binaries, one of which an install brings along.
declare module "@tiemma/sonic-distribute-*" {
  const core: typeof import("../native");
  export = core;
}
