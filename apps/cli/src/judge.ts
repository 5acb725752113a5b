/** Judges texts through the server when it is up, else with the engine in this process. */
import { AppError } from "@mlsec/contracts";
import { existsSync } from "node:fs";
import path from "node:path";
import type { InputText } from "./input.ts";
import { api, defaultModel, root } from "./settings.ts";

/** A verdict as the command line prints it, the same from server and engine. */
export interface CliVerdict {
  readonly id?: string;
  readonly text: string;
  readonly prediction: string;
  readonly confidence: number;
  readonly is_attack: boolean;
  readonly attack_probability: number;
  readonly threshold: number;
  readonly probabilities: Readonly<Record<string, number>>;
  readonly spans: readonly {
    readonly start: number;
    readonly end: number;
    readonly score: number;
    readonly view: string;
  }[];
  readonly windows: number;
  readonly model_name: string;
  readonly model_version: string;
}
export interface CliFailure {
  readonly id?: string;
  readonly error: string;
}
export interface Judge {
  readonly where: string;
  judge(items: readonly InputText[]): Promise<(CliVerdict | CliFailure)[]>;
  close(): Promise<void>;
}

const named = (item: InputText): { id?: string } => (item.id === undefined ? {} : { id: item.id });

/** The judge behind the Model API. */
export function serverJudge(model: string | undefined): Judge {
  return {
    where: "server",
    async judge(items) {
      const body = items.map(({ text }) => ({ text, ...(model === undefined ? {} : { model_name: model }) }));
      const { results } = await api.model.predictBatch({ body });
      return results.map((result, i) => {
        const id = named(items[i] ?? { text: "" });
        if ("error" in result) return { ...id, error: result.error.detail };
        const {
          text,
          prediction,
          confidence,
          is_attack,
          attack_probability,
          threshold,
          spans,
          windows,
          model_name,
          model_version,
        } = result;
        return {
          ...id,
          text,
          prediction,
          confidence,
          is_attack,
          attack_probability,
          threshold,
          probabilities: result.probabilities ?? {},
          spans,
          windows,
          model_name,
          model_version,
        };
      });
    },
    close: () => Promise.resolve(),
  };
}

/** The judge in this process: a shipped detector folder. */
export async function engineJudge(model: string | undefined): Promise<Judge> {
  const name = (model ?? defaultModel).replace(/^security_/, "").replace(/_trained$/, "");
  const folder = path.join(root, "models", name);
  if (!/^[\w.-]+$/.test(name) || !existsSync(path.join(folder, "detector.json"))) {
    throw new AppError(
      "MODEL_NOT_FOUND",
      `no server runs, and no detector "${name}" ships in models/; start the system with npm start, or choose a shipped one`,
    );
  }
  const { openDetector } = await import("@mlsec/engine");
  const detector = await openDetector(folder);
  return {
    where: "engine",
    async judge(items) {
      const verdicts = await detector.verdicts(items.map((item) => item.text));
      return verdicts.map((v, i) => ({
        ...named(items[i] ?? { text: "" }),
        text: items[i]?.text ?? "",
        prediction: v.prediction,
        confidence: v.confidence,
        is_attack: v.isAttack,
        attack_probability: v.attackProbability,
        threshold: v.threshold,
        probabilities: v.probabilities,
        spans: v.spans,
        windows: v.windows,
        model_name: name,
        model_version: "shipped",
      }));
    },
    close: () => detector.release(),
  };
}
