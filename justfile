# The same steps as .ci/run, one by one. `just` lists them.

export SQLX_OFFLINE := "true"
export DISCORD_OPENAPI := env("DISCORD_OPENAPI", if path_exists("../shared/discord/openapi.json") == "true" { justfile_directory() / "../shared/discord/openapi.json" } else { "" })

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
    cargo test --locked {{ args }}

docs:
    RUSTDOCFLAGS=-Dwarnings cargo doc --no-deps --locked

# Licences, banned crates and sources
deny:
    cargo deny check licenses bans sources

# Build the image around the binary at hand, and run it
container:
    scripts/container.sh

# Build the image as the Dockerfile says, and run it
container-full:
    scripts/container.sh --full

# The whole cycle at a console, without Discord
demo:
    cargo run --release -- demo
