# Any Debian-based image with Node 24 and npm will do as BASE, and any Debian of the same release as RUNTIME.
ARG BASE=node:24-bookworm-slim
ARG RUNTIME=debian:bookworm-slim

FROM ${BASE} AS build
WORKDIR /dock2ban
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json build.ts ./
COPY src ./src
# Of the packages only what runs is kept: no types, maps and documentation. Of zod's languages, each of which it would load, English alone.
RUN npm run build && npm prune --omit=dev --ignore-scripts \
  && find node_modules -type f -regex '.*\.\(ts\|cts\|mts\|map\|md\)' -delete \
  && cd node_modules/zod/v4/locales && echo 'export {};' > index.js \
  && find . -type f ! -name index.js ! -name en.js -delete

FROM ${RUNTIME} AS system
RUN apt-get update \
  && apt-get install -y --no-install-recommends iptables ipset nftables tini \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/*

# journalctl and the libraries that it needs beyond those of the system: 4 MB instead of the 18 of all of systemd.
FROM system AS journal
RUN find /lib /usr/lib -follow -name '*.so*' > /base 2> /dev/null; dpkg-query -W > /packages; apt-get update \
  && apt-get install -y --no-install-recommends systemd \
  && ldd /usr/bin/journalctl | awk '$3 ~ /^\// { print $3 }' | grep -vxFf /base | sed 's,^/lib/,/usr/lib/,' > /needed \
  && mkdir /journal && cp -L --parents -t /journal /usr/bin/journalctl $(cat /needed) \
  && dpkg -S '*/bin/journalctl' $(sed 's,.*/,*/,' /needed) | cut -d: -f1 | sort -u | xargs dpkg-query -W >> /packages

# What the image consists of: npm's packages, Debian's and Node. npm tells only of what package.json asks for.
FROM build AS sbom
COPY sbom.ts ./
COPY --from=journal /packages ./
RUN npm pkg delete devDependencies && npm sbom --sbom-format cyclonedx --sbom-type application | node sbom.ts packages > sbom.cdx.json

FROM system
WORKDIR /app
COPY --from=build /usr/local/bin/node /usr/local/bin/
COPY --from=journal /journal /
COPY package.json LICENSE ./
COPY --from=build /dock2ban/node_modules ./node_modules
COPY --from=build /dock2ban/dist ./dist
COPY filters ./filters
COPY --from=sbom /dock2ban/sbom.cdx.json /usr/share/doc/dock2ban/
ARG VERSION=development
ARG SOURCE
LABEL org.opencontainers.image.title=dock2ban \
  org.opencontainers.image.description="Bans intruders from Docker hosts, by container label, with fail2ban's jails and filters" \
  org.opencontainers.image.licenses=Apache-2.0 \
  org.opencontainers.image.version=${VERSION} \
  org.opencontainers.image.source=${SOURCE}
RUN for name in dock2ban fail2ban-client fail2ban-regex; do ln -s /app/dist/main.js /usr/local/bin/$name; done
# `container`: systemd.io/CONTAINER_INTERFACE.
ENV NODE_ENV=production container=oci
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["dock2ban", "health"]
# dock2ban isn't process 1, which the kernel spares from its own SIGKILL.
ENTRYPOINT ["tini", "--", "dock2ban"]
CMD ["run"]
