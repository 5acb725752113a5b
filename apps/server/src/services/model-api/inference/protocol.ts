// What the main thread and the inference worker say to each other. Texts cross by structured clone, which keeps
// lone surrogates; nothing here is JSON.
import type { BatchReport, CascadeSpec, DetectorManifest, DetectorVerdict, TokenAttribution } from "@mlsec/engine";

/** A detector folder, and what its labels mean when it is not one of ours. */
export interface Source {
  readonly folder: string;
  readonly labelMap?: Readonly<Record<string, "attack" | "benign">>;
  /** Where the students of cascades lie; absent: the detector alone answers. */
  readonly students?: string;
}

export type Ask =
  | { readonly id: number; readonly op: "load"; readonly key: string; readonly source: Source }
  | {
      readonly id: number;
      readonly op: "verdicts";
      readonly key: string;
      readonly texts: readonly string[];
      /** Every text by the full detector. */
      readonly whole: boolean;
      /** Short hits are not narrowed. */
      readonly isBrief: boolean;
    }
  | { readonly id: number; readonly op: "attribute"; readonly key: string; readonly text: string }
  | { readonly id: number; readonly op: "release"; readonly key: string }
  | { readonly id: number; readonly op: "close" }
  /** Forget the call with this id; there is no answer. */
  | { readonly id: number; readonly op: "cancel" };

export interface Loaded {
  readonly manifest: DetectorManifest;
  readonly memoryBytes: number;
  readonly cascade?: CascadeSpec;
  /** Why a detector that has a cascade answers without it. */
  readonly trouble?: string;
}

export interface Failure {
  readonly code: string;
  readonly message: string;
  /** The part of the input that is to blame. */
  readonly where?: string;
  readonly expected?: string;
}

export type Answer =
  | {
      readonly id: number;
      readonly value: Loaded | readonly DetectorVerdict[] | readonly TokenAttribution[] | undefined;
    }
  | { readonly id: number; readonly failure: Failure }
  | { readonly id: -1; readonly batch: BatchReport };
