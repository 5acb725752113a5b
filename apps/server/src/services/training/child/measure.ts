// Candidate and champion on the frozen suite, each at its own threshold.
import { evaluateDetector, openDetector, type Scorecard } from "@mlsec/engine";
import type { ChildResult, ChildSpec, Figures, Tell } from "./messages.ts";
import type { Suite } from "./suite.ts";

export async function measureOnSuite(
  candidateFolder: string,
  spec: ChildSpec,
  suite: Suite,
  signal: AbortSignal,
  tell: Tell,
): Promise<Pick<ChildResult, "suite" | "candidate" | "champion">> {
  const parts = spec.champion ? 2 : 1;
  const measure = async (folder: string, part: number): Promise<Figures> => {
    const detector = await openDetector(folder, { threads: spec.threads });
    try {
      const card = await evaluateDetector(
        detector,
        suite.rows.map(({ text, label }) => ({ text, label })),
        {
          signal,
          onProgress: (done, total) =>
            tell({ type: "progress", phase: "evaluating", share: 0.7 + (0.3 * (part + done / total)) / parts }),
        },
      );
      return figuresOf(card);
    } finally {
      await detector.release();
    }
  };
  const candidate = await measure(candidateFolder, 0);
  const champion = spec.champion ? await measure(spec.champion.folder, 1) : null;
  tell({
    type: "log",
    level: "info",
    message: `measured on the suite ${suite.name}${champion ? `, with the champion (version ${spec.champion?.version})` : ""}`,
  });
  return { suite: { name: suite.name, sha256: suite.sha256, rows: suite.rows.length }, candidate, champion };
}

const figuresOf = (card: Scorecard): Figures => ({
  recall: card.detectionRate?.value ?? 0,
  false_positive_rate: card.falsePositiveRate?.value ?? 0,
  macro_f1: card.macroF1.value,
  roc_auc: card.rocAuc?.value ?? null,
  accuracy: card.accuracy.value,
  threshold: card.threshold,
  attacks: card.attacks,
  benign: card.benign,
});
