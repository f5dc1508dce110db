# syntax=docker/dockerfile:1
# One image with every binary, on distroless, as an ordinary user: docker build --tag holdfast:0.1.0 .
# hadolint passes it (scripts/containers.sh). It has not been built where it was written: no image registry was in reach.
# The base images are pinned by tag for the same reason. What a tag means today is said by
#     docker buildx imagetools inspect rust:1.95.0-bookworm
# and is pinned by appending it (rust:1.95.0-bookworm@sha256:…); Dependabot and Renovate keep such pins fresh.

# The version of rust-toolchain.toml.
ARG RUST_VERSION=1.95.0

# librdkafka is built from source: make, a C compiler and zlib's headers, all of which this image has.
FROM rust:${RUST_VERSION}-bookworm AS chef
ARG CARGO_CHEF_VERSION=0.1.78
# hadolint ignore=DL3059
RUN cargo install --locked --version ${CARGO_CHEF_VERSION} cargo-chef
WORKDIR /src

# The recipe changes only where dependencies do; with it the layer below stays as it is.
FROM chef AS plan
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM chef AS build
COPY --from=plan /src/recipe.json recipe.json
RUN cargo chef cook --release --locked --recipe-path recipe.json
COPY . .
RUN cargo build --release --locked --workspace --bins \
    && mkdir /out \
    && cp target/release/holdfast target/release/inventory-svc target/release/order-svc target/release/rec-svc \
        target/release/gateway /out/

# With a shell and wget, for compose.yaml's health checks and for a look around.
FROM gcr.io/distroless/cc-debian12:debug-nonroot AS debug
COPY --from=build /out/ /usr/local/bin/
USER 65532:65532
CMD ["/usr/local/bin/holdfast", "--help"]

# The one to ship: glibc, certificates, the binaries. No ENTRYPOINT: whoever runs it names the binary.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /out/ /usr/local/bin/
USER 65532:65532
CMD ["/usr/local/bin/holdfast", "--help"]
