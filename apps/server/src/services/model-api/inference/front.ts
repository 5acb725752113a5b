// The student of a cascade on the main thread, where it does not wait behind a run of the worker: the worker's thread is
// the bottleneck, and a linear student needs no session. Calls of many texts stay with the worker, which has a student
// of its own, because judging them here would hold up everybody's requests.
import path from "node:path";
import {
  createCascade,
  type Detector,
  type DetectorVerdict,
  openDetector,
  readCascade,
  type VerdictOptions,
} from "@mlsec/engine";
import type { Loaded, Source } from "./protocol.ts";

/** Texts of one call that are judged here. */
const mostTexts = 8;

export interface Front {
  /** Undefined: the call is too large for this thread. */
  verdicts(texts: readonly string[], options: VerdictOptions): Promise<readonly DetectorVerdict[]> | undefined;
  readonly memoryBytes: number;
  release(): Promise<void>;
}

type AskFull = (texts: readonly string[], options: VerdictOptions) => Promise<readonly DetectorVerdict[]>;

/** Undefined where the detector has no cascade, or a student that needs a session. */
export async function openFront(
  { folder, students }: Source,
  { manifest, memoryBytes }: Loaded,
  askFull: AskFull,
): Promise<Front | undefined> {
  if (students === undefined) return undefined;
  const { student: member, band } = await readCascade(folder);
  const student = await openDetector(path.join(students, member.name));
  if (student.manifest.kind !== "linear") {
    await student.release();
    return undefined;
  }
  const full: Detector = {
    manifest,
    memoryBytes,
    verdicts: async (texts, options = {}) => [...(await askFull(texts, options))],
    release: () => Promise.resolve(),
  };
  const cascade = createCascade({ student, full, band });
  return {
    memoryBytes: student.memoryBytes,
    verdicts: (texts, options) => (texts.length > mostTexts ? undefined : cascade.verdicts(texts, options)),
    release: () => student.release(),
  };
}
