# The server without its development tools. `compose.yaml` shows what it needs around it.
FROM node:20-slim AS build
WORKDIR /larder
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build

FROM node:20-slim AS dependencies
WORKDIR /larder
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund
# What GRAPHIQL, OTEL_EXPORTER_OTLP_ENDPOINT and APOLLO_TRACING need, such as `graphiql@3 react@18 react-dom@18`: the server names it.
ARG OPTIONAL_PACKAGES=""
RUN if [ -n "$OPTIONAL_PACKAGES" ]; then npm install --no-save --save-prod --omit=dev --no-audit --no-fund $OPTIONAL_PACKAGES; fi

FROM node:20-slim
WORKDIR /larder
# Inside a container, 127.0.0.1 is reachable for nobody.
ENV NODE_ENV=production HOST=0.0.0.0 METRICS_HOST=0.0.0.0
COPY package.json ./
COPY --from=dependencies /larder/node_modules node_modules
COPY --from=build /larder/dist dist
COPY drizzle drizzle
USER node
EXPOSE 4000 9464
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 4000}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Migrations are a step of their own, `node dist/cli/migrate.js`: many servers start, one of them must migrate.
CMD ["node", "--min-semi-space-size=32", "--max-semi-space-size=32", "--initial-old-space-size=256", "--no-allocation-site-pretenuring", "dist/main.js"]
