# The same steps as .ci/run, one by one. `just` lists them.

export SQLX_OFFLINE := "true"
_list:
    @just --list

# Everything that must hold
check: fmt-check lint test docs container

# Format the code
fmt:
    cargo fmt

fmt-check:
    cargo fmt --check

lint:
    cargo clippy --all-targets --locked -- -D warnings

test *args:
    #!/usr/bin/env bash
    set -euo pipefail
    openapi=../shared/discord/openapi.json
    [[ -n "${DISCORD_OPENAPI:-}" || ! -f $openapi ]] || export DISCORD_OPENAPI="$(realpath $openapi)"
    cargo test --locked {{ args }}

docs:
    RUSTDOCFLAGS=-Dwarnings cargo doc --no-deps --locked

# Licences, banned crates, sources and advisories
deny:
    cargo deny check

# Every parser and every zone, at length: `just fuzz 100000` (the costly ones take long; name one to do it alone)
fuzz cases="5000" *which="fuzz":
    PROPTEST_CASES={{ cases }} cargo test --locked {{ which }} -- --nocapture

# Build the image around the binary at hand, and run it
container:
    scripts/container.sh

# Build the image as the Dockerfile says, and run it
container-full:
    scripts/container.sh --full

# The whole cycle at a console, without Discord
demo:
    cargo run --release -- demo
