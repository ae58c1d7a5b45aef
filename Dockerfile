# Loopwright's images. One file, since they are built from one workspace:
#
#   docker build --target service    -t loopwright .              with the web app, no libtorch, a few ten MB
#   docker build --target learner    -t loopwright-learner .      with a CPU libtorch
#   docker build --target laboratory -t loopwright-laboratory .   the simulated bench with its agents
#
# An agent beside a real device runs from the service's image: `--entrypoint loopwright-agent`.

ARG RUST=1.95
ARG DEBIAN=bookworm
ARG NODE=24
# `dev` builds in a fraction of the time, for trying the images out.
ARG PROFILE=release

FROM docker.io/library/rust:${RUST}-${DEBIAN} AS source
WORKDIR /src
# Queries are checked against the committed .sqlx data.
ENV SQLX_OFFLINE=true
COPY . .

# The web app goes into the service's binary.
FROM docker.io/library/node:${NODE}-${DEBIAN}-slim AS build-web
WORKDIR /web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY web ./
RUN node_modules/.bin/vite build

FROM source AS build-service
ARG PROFILE
COPY --from=build-web /web/dist web/dist
RUN cargo build --locked --profile "$PROFILE" -p orchestrator -p instruments -p bench --bins --features orchestrator/jemalloc \
 && mkdir /out && find "target/$([ "$PROFILE" = dev ] && echo debug || echo "$PROFILE")" \
      -maxdepth 1 -type f -executable -name 'loopwright*' -exec mv -t /out {} + \
 && rm -rf target

FROM source AS build-learner
ARG PROFILE
RUN apt-get update && apt-get install -y --no-install-recommends python3-pip && rm -rf /var/lib/apt/lists/* \
 && scripts/setup-libtorch && mv .tools/libtorch /opt/libtorch
# The learner looks for its libraries where they lay when it was built: here, and in its image below.
ENV LIBTORCH=/opt/libtorch
RUN cargo build --locked --profile "$PROFILE" -p active_learning --bins \
 && mkdir /out && find "target/$([ "$PROFILE" = dev ] && echo debug || echo "$PROFILE")" \
      -maxdepth 1 -type f -executable -name 'loopwright*' -exec mv -t /out {} + \
 && rm -rf target

# What every image stands on: certificates, and a user who owns nothing but the data folder. Nothing is copied into it
# (--create-home would): a new volume begins as a copy of it, and `loopwright restore` wants an empty one.
FROM docker.io/library/debian:${DEBIAN}-slim AS ground
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10460 --home-dir /var/lib/loopwright --no-create-home loopwright \
 && install --directory --owner loopwright /var/lib/loopwright /tokens /tokens/learner /tokens/laboratory
USER loopwright
WORKDIR /var/lib/loopwright

FROM ground AS learner
USER root
RUN apt-get update && apt-get install -y --no-install-recommends libstdc++6 && rm -rf /var/lib/apt/lists/*
USER loopwright
COPY --from=build-learner /opt/libtorch/lib /opt/libtorch/lib
COPY --from=build-learner /out/ /usr/local/bin/
ENTRYPOINT ["loopwright-learner"]

FROM ground AS laboratory
USER root
RUN apt-get update && apt-get install -y --no-install-recommends curl jq && rm -rf /var/lib/apt/lists/*
USER loopwright
COPY --from=build-service /out/loopwright-bench /out/loopwright-agent /usr/local/bin/
COPY docker/laboratory /usr/local/bin/laboratory
ENTRYPOINT ["laboratory"]

FROM ground AS service
USER root
# `loopwright backup` and `restore` ask pg_dump, pg_restore and psql; they must not be older than the server.
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-client && rm -rf /var/lib/apt/lists/*
USER loopwright
COPY --from=build-service /out/loopwright /out/loopwright-agent /usr/local/bin/
COPY docker/prepare /usr/local/bin/prepare
ENTRYPOINT ["loopwright"]
CMD ["serve"]
