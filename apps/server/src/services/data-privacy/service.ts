// Data Privacy (8005): personal data found and redacted, and what is kept for how long.
import { dataPrivacy } from "@mlsec/contracts";
import { defineService } from "../../platform/service.ts";
import { findPii, redactPii } from "./find.ts";
import { kinds } from "./kinds.ts";
import { keptTables } from "./store.ts";

export const service = defineService({
  name: "data-privacy",
  contract: dataPrivacy,
  async create({ config, db }) {
    return {
      handlers: {
        find: async ({ body }) => ({ findings: findPii(body.text, body.kinds) }),
        redact: async ({ body }) => redactPii(body.text, body.kinds),
        kinds: async () => ({ kinds: kinds.map(({ id, summary }) => ({ id, summary })), next_cursor: null }),
        retention: async () => ({ tables: await keptTables(db), store_text: config.storeText, next_cursor: null }),
      },
      ready: async () => ({ ready: true, checks: {} }),
    };
  },
});
