# certkeeper as an image: one static binary and nothing else.
#
#   docker build -t certkeeper .
#   docker run -d --read-only --cap-drop all --security-opt no-new-privileges \
#     -v certkeeper:/data -e CERTKEEPER_DISCORD__TOKEN certkeeper
#
# PROFILE is a cargo profile: `dist` is the smallest and fastest binary, `release` builds sooner.

FROM docker.io/library/rust:1.95-slim-bookworm AS build
ARG PROFILE=dist
ENV SQLX_OFFLINE=true
WORKDIR /src
COPY . .
# Static with musl where its target can be had, else with the C library of the base.
RUN set -eu; \
    arch="$(uname -m)"; target="$arch-unknown-linux-musl"; \
    if command -v rustup >/dev/null && rustup target add "$target"; then \
        apt-get update; \
        apt-get install -y --no-install-recommends musl-tools; \
        export "CC_${arch}_unknown_linux_musl=musl-gcc"; \
    else \
        target="$arch-unknown-linux-gnu"; \
        export RUSTFLAGS="-C target-feature=+crt-static"; \
    fi; \
    cargo build --locked --bin certkeeper --profile "$PROFILE" --target "$target"; \
    install -D "target/$target/$PROFILE/certkeeper" /out/certkeeper; \
    mkdir /data; \
    rm -rf target

# ---- the image: everything below is all there is in it (scripts/container.sh reads from this line on)
FROM scratch
LABEL org.opencontainers.image.title="certkeeper" \
      org.opencontainers.image.description="Keeps ISO certificates alive: the three-year cycle, reminded and recorded in Discord" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=build /out/ /
# A fresh volume takes over the owner of what it is mounted on. There is no VOLUME line, so that a forgotten
# mount fails on a read-only root instead of keeping the records in a volume that nobody knows of.
COPY --from=build --chown=65532:65532 /data /data
USER 65532:65532
ENV CERTKEEPER_DATABASE__PATH=/data/certkeeper.db \
    CERTKEEPER_HTTP__LISTEN=127.0.0.1:8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s --retries=3 CMD ["/certkeeper", "health"]
ENTRYPOINT ["/certkeeper"]
CMD ["run"]
