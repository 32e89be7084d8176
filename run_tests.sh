#!/usr/bin/env bash
# ./run_tests.sh                     every check and every test there is
# ./run_tests.sh FILE-OR-FOLDER...   replays these fixtures and shows what differs
set -euo pipefail

if [ "$#" -gt 0 ]; then
  # Paths are meant from where the caller stands.
  paths=()
  for path in "$@"; do paths+=("$(realpath -- "$path")"); done
  cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
  exec cargo test --quiet --locked --test fixtures -- "${paths[@]}"
fi

cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
cargo fmt --all --check
cargo clippy --locked --all-targets --quiet -- -D warnings
# Whoever takes the library without some of its features gets one without warnings, too.
for features in "" app cli testing; do
  cargo clippy --locked --lib --no-default-features --features "$features" --quiet -- -D warnings
done
RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --quiet
cargo test --locked
