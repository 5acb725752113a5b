// Monitoring (8501): the built dashboard, its live event stream, and the same-origin way to every service.
import path from "node:path";
import { fileURLToPath } from "node:url";
import { monitoring, type ServerEvent } from "@mlsec/contracts";
import { defineService } from "../../platform/service.ts";
import { monitoringSlice } from "./config.ts";
import { createFeed, type Feed } from "./feed.ts";
import { createFiles } from "./files.ts";
import { takePicture } from "./picture.ts";
import { proxy } from "./proxy.ts";

const intervalMs = 1500;
const builtDashboard = fileURLToPath(new URL("../../../../dashboard/dist", import.meta.url));

export const service = defineService({
  name: "monitoring",
  contract: monitoring,
  async create(context) {
    const files = createFiles(path.resolve(context.config.read(monitoringSlice).MLSEC_DASHBOARD_DIR ?? builtDashboard));
    const feed = createFeed({
      produce: () => takePicture(context),
      intervalMs,
      onError: (error) => context.log.warn({ error }, "no picture of the system"),
    });
    const listeners = context.metrics.gauge("mlsec_live_listeners", "Open event streams.");
    Object.assign(listeners, { collect: () => listeners.set(feed.listeners) });
    return {
      handlers: {
        live: async ({ context: { signal } }) => asEvents(feed, signal),
        picture: () => takePicture(context),
      },
      ready: async () => {
        const isBuilt = await files.isBuilt();
        const dashboard = { status: "ok" as const, detail: isBuilt ? "built" : "not built: npm run build" };
        return { ready: true, checks: { dashboard } };
      },
      raw: async (request, about) => (await proxy(context.clients, request, about)) ?? files.answer(request),
    };
  },
});

async function* asEvents(feed: Feed<unknown>, signal: AbortSignal): AsyncIterable<ServerEvent> {
  for await (const data of feed.listen(signal)) yield { event: "picture", data };
}
