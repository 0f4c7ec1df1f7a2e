# Any Debian-based image with Node 24 will do as BASE.
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json build.ts ./
COPY src ./src
RUN npm run build && npm prune --omit=dev --ignore-scripts

# journalctl and the libraries that it needs beyond those of BASE: 4 MB instead of the 18 of all of systemd.
FROM ${BASE} AS journal
RUN find /lib /usr/lib -follow -name '*.so*' > /base 2> /dev/null; apt-get update \
  && apt-get install -y --no-install-recommends systemd \
  && ldd /usr/bin/journalctl | awk '$3 ~ /^\// { print $3 }' | grep -vxFf /base | sed 's,^/lib/,/usr/lib/,' > /needed \
  && mkdir /journal && cp -L --parents -t /journal /usr/bin/journalctl $(cat /needed)

FROM ${BASE}
RUN apt-get update \
  && apt-get install -y --no-install-recommends iptables ipset nftables \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=journal /journal /
COPY filters ./filters
RUN for name in dock2ban fail2ban-client fail2ban-regex; do ln -s /app/dist/main.js /usr/local/bin/$name; done
ENV NODE_ENV=production
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["dock2ban", "status"]
ENTRYPOINT ["dock2ban"]
CMD ["run"]
