#!/usr/bin/env bash
# Miri over the tests of what has `unsafe` in it and asks the system for no more than memory. Those that take hours there,
# or need a second process, are left to the others.
set -euo pipefail
cd "$(dirname "$0")/.."
export MIRIFLAGS="-Zmiri-disable-isolation" CARGO_TARGET_DIR=target/miri
exec cargo +nightly miri test -- ring::tests::a_drop ring::tests::a_full ring::tests::a_hostile store::tests
