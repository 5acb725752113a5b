// What a job's parent and its child process tell each other. The spec and the result lie as files in the job folder.
import type { GateFigures, Promotion, TrainSettings } from "@mlsec/contracts";
import type { Format } from "../data/rows.ts";

export interface ChildSpec {
  readonly jobId: string;
  readonly name: string;
  readonly kind: "transformer" | "linear";
  readonly base?: string;
  readonly baseFolder?: string;
  readonly settings: TrainSettings;
  readonly data: { readonly file: string; readonly format: Format; readonly uri: string };
  readonly evalData?: { readonly file: string; readonly format: Format; readonly uri: string };
  readonly suiteDir: string;
  readonly champion?: { readonly version: string; readonly folder: string };
  readonly teacher?: { readonly version: string; readonly folder: string };
  readonly threads: number;
  readonly createdAt: string;
}
/** Figures of one side, before the registry gave it a version. */
export type Figures = Omit<GateFigures, "version">;
export interface ChildResult {
  readonly losses: readonly number[];
  readonly suite: Promotion["suite"];
  readonly candidate: Figures;
  readonly champion: Figures | null;
  readonly scorecard: Readonly<Record<string, unknown>>;
  readonly rows: {
    readonly train: number;
    readonly held: number;
    readonly repeated: number;
    readonly contaminated: number;
  };
}

export type Phase = "preparing" | "training" | "evaluating";
export type ChildMessage =
  | {
      readonly type: "progress";
      readonly phase: Phase;
      /** How much of the phase is done, 0 to 1. */
      readonly share: number;
      readonly step?: number;
      readonly totalSteps?: number;
      readonly epoch?: number;
      readonly rowsPerSecond?: number;
      /** Losses since the last message. */
      readonly losses?: readonly (readonly [step: number, loss: number])[];
    }
  | { readonly type: "metrics"; readonly step: number; readonly metrics: Readonly<Record<string, number>> }
  | { readonly type: "log"; readonly level: "info" | "warn"; readonly message: string }
  | { readonly type: "done" }
  /** `isFinal`: running it again would fail in the same way. */
  | { readonly type: "failed"; readonly code: string; readonly detail: string; readonly isFinal: boolean };
export type Tell = (message: ChildMessage) => void;
export type ParentMessage = { readonly type: "cancel" };

export const specFile = "job.json";
export const resultFile = "result.json";
/** The detector folder inside the job folder. */
export const outFolder = "detector";
