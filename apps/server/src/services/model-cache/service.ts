// Model Cache: the loaded models and cached verdicts of the Model API, seen and steered through its contract. It holds
// nothing itself, so there is one truth however many processes run.
import { modelCache } from "@mlsec/contracts";
import { defineService } from "../../platform/service.ts";

export const service = defineService({
  name: "model-cache",
  contract: modelCache,
  create: async ({ clients }) => {
    const models = clients["model-api"];
    return {
      handlers: {
        stats: async ({ context: { signal } }) => {
          const [listed, stats] = await Promise.all([models.listModels({ signal }), models.stats({ signal })]);
          const { hits, misses } = stats.cache;
          return {
            models: listed.models,
            verdicts: { ...stats.cache, hit_rate: hits + misses === 0 ? null : hits / (hits + misses) },
            memory_bytes: listed.memory.used_bytes,
            budget_bytes: listed.memory.budget_bytes,
            evictions: listed.memory.evictions,
          };
        },
        warm: async ({ body, context: { signal } }) => {
          const warmed = [];
          for (const name of body.models) warmed.push(await models.loadModel({ params: { name }, signal }));
          return { models: warmed };
        },
        evictModel: ({ params, context: { signal } }) => models.unloadModel({ params, signal }),
        evictVerdicts: ({ query, context: { signal } }) => models.clearCache({ query, signal }),
      },
      ready: async () => {
        const answer = await clients.fetch("model-api", "/health").catch(() => undefined);
        const check = answer?.ok ? { status: "ok" as const } : { status: "down" as const, detail: "no answer" };
        return { ready: answer?.ok === true, checks: { "model-api": check } };
      },
    };
  },
});
