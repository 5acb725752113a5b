/** The shipped detector with and without its cascade, as `serve` times them: whole verdicts, views and spans included. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import {
  type Detector,
  loadTokenizer,
  openCascade,
  openDetector,
  type Tokenizer,
} from "../packages/engine/src/index.ts";
import { baseModel } from "./model.ts";

const models = join(resolve(import.meta.dirname, ".."), "models");

/** What is timed, and what the cascade did. */
export interface DetectorSides {
  /** Texts a second, by name: `detector` and, where it has a cascade.json, `cascade`. */
  readonly sides: Readonly<Record<string, () => Promise<number>>>;
  /** Share of the texts that the student answered, and of texts with the full detector's decision; null without one. */
  compare(): Promise<{ readonly share: number; readonly agreement: number } | null>;
  release(): Promise<void>;
}

/** Opens them over the texts, cut in characters where their tokens are cut for the peers. */
export async function openDetectorSides(
  name: string,
  texts: readonly string[],
  maxTokens: number,
): Promise<DetectorSides> {
  const folder = join(models, name);
  const tokenizer = await loadTokenizer(baseModel);
  const cut = texts.map((text) => cutText(tokenizer, text, maxTokens));
  const detector = await openDetector(folder);
  const cascade = existsSync(join(folder, "cascade.json")) ? await openCascade(folder, models) : undefined;
  const rate = async (one: Detector): Promise<number> => {
    await wait(50);
    const began = performance.now();
    await one.verdicts(cut);
    return (cut.length * 1000) / (performance.now() - began);
  };
  return {
    sides: { detector: () => rate(detector), ...(cascade && { cascade: () => rate(cascade) }) },
    async compare() {
      if (!cascade) return null;
      const [full, two] = [await detector.verdicts(cut), await cascade.verdicts(cut)];
      const shareOf = (is: (i: number) => boolean): number => cut.filter((_, i) => is(i)).length / cut.length;
      return {
        share: shareOf((i) => two[i]?.answeredBy === "student"),
        agreement: shareOf((i) => two[i]?.isAttack === full[i]?.isAttack),
      };
    },
    async release() {
      await detector.release();
      await cascade?.release();
    },
  };
}

/** The start of a text that gives at most so many tokens, specials included. */
function cutText(tokenizer: Tokenizer, text: string, maxTokens: number): string {
  const room = maxTokens - tokenizer.prefixIds.length - tokenizer.suffixIds.length;
  const { ids, ends } = tokenizer.encode(text, { addSpecials: false });
  return ids.length <= room ? text : text.slice(0, ends[room - 1]);
}
