/** Our engine in a process of its own, as the peers run in theirs: serving texts, fine-tuning rows. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSession, loadTokenizer, trainTransformer } from "../../packages/engine/src/index.ts";
import { serve } from "./protocol.ts";

interface Serving {
  readonly folder: string;
  readonly precision: "fp32" | "int8";
  readonly texts: readonly string[];
  readonly maxTokens: number;
  readonly together: boolean;
}

await serve(
  { node: process.version },
  {
    /** Answers the texts once, one at a time or all at once; the session stays open. */
    async serve({ folder, precision, texts, maxTokens, together }: Serving) {
      const tokenizer = await loadTokenizer(folder);
      const session = await createSession(folder, { precision });
      const rows = texts.map((text) => tokenizer.encode(text).ids.slice(0, maxTokens));
      if (together) await session.run(rows);
      else for (const row of rows) await session.run([row]);
      return { texts: texts.length };
    },
    /** One epoch; returns its seconds. */
    async train({ folder, rows }: { folder: string; rows: { text: string; label: string }[] }) {
      const out = await mkdtemp(join(tmpdir(), "mlsec-bench-"));
      const began = performance.now();
      const config = { batchSize: 16, maxLength: 256, epochs: 1 };
      await trainTransformer({ base: folder, out, rows, evalRows: [], config });
      await rm(out, { recursive: true, force: true });
      return { seconds: (performance.now() - began) / 1000 };
    },
  },
);
