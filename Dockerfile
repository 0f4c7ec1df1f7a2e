# Any Debian-based image with Node 24 will do as BASE.
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json build.ts ./
COPY src ./src
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM ${BASE}
RUN apt-get update \
  && apt-get install -y --no-install-recommends iptables ipset \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY filters ./filters
RUN for name in dock2ban fail2ban-client fail2ban-regex; do ln -s /app/dist/main.js /usr/local/bin/$name; done
ENV NODE_ENV=production
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["dock2ban", "status"]
ENTRYPOINT ["dock2ban"]
CMD ["run"]
