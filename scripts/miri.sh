#!/usr/bin/env bash
# Runs Miri on the tests of `unsafe` code that needs nothing but memory from the system. It leaves out tests that would take
# hours or need a second process.
set -euo pipefail
cd "$(dirname "$0")/.."
export MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-tree-borrows" CARGO_TARGET_DIR=target/miri
export PROPTEST_CASES="${PROPTEST_CASES:-4}"
exec cargo +nightly miri test -- ring::tests::a_drop ring::tests::a_full ring::tests::a_hostile \
  fuzz::a_ring_of store::tests::only_what backlog::tests::each_worker backlog::tests::an_answer_s binding::call
