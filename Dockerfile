# The reference applications. Node runs the TypeScript sources as they are: there is nothing to build but node_modules.
FROM node:24-slim AS packages
WORKDIR /obverse
COPY package.json package-lock.json ./
COPY scripts/runtime-packages.ts scripts/
# In the versions of the lockfile, without the tools of development.
RUN node scripts/runtime-packages.ts && npm install --ignore-scripts --no-audit --no-fund

FROM node:24-slim
WORKDIR /obverse
ENV NODE_ENV=production
COPY --from=packages /obverse/node_modules node_modules
COPY package.json ./
COPY src src
COPY apps apps
USER node
EXPOSE 8080
# no npm in between: signals reach the process that drains
ENTRYPOINT ["node", "--conditions=source", "apps/start.ts"]
CMD ["orders"]
