/** The model card of a detector as Markdown: every figure from its scorecard, with its interval. */
import type { ParityReport } from "../infer/parity.ts";
import type { Interval } from "../metrics/intervals.ts";
import type { Scorecard, SliceFigures } from "../metrics/scorecard.ts";
import type { DetectorManifest } from "./manifest.ts";

/** What no file of the detector can say by itself. */
export interface CardFacts {
  /** Where the rows came from, one line each. */
  readonly data?: readonly string[];
  /** How it was trained, one line each. */
  readonly recipe?: readonly string[];
  readonly seed?: number;
  /** The command that makes this folder again. */
  readonly command?: string;
  readonly weaknesses?: readonly string[];
  readonly license?: string;
}

/**
 * Renders `README.md`. What is not known is said to be unknown; no figure is left out because it is bad.
 * @example
 * const markdown = renderCard(manifest, scorecard, { command: "node scripts/train.ts", seed: 1 });
 */
export function renderCard(
  manifest: DetectorManifest,
  card: Scorecard & { readonly parity?: ParityReport | null },
  facts: CardFacts = {},
): string {
  const weakest = weakestSlices(card);
  return `${[
    `# ${manifest.name}`,
    "",
    `A ${manifest.kind} detector of attacks on LLM applications. Labels: ${manifest.labels.join(", ")}.`,
    `Made ${manifest.createdAt.slice(0, 10)}${manifest.base ? ` from ${manifest.base}` : ""}. Licence: ${facts.license ?? "see the repository"}.`,
    ...section("Data", facts.data),
    ...section("Recipe", facts.recipe),
    "",
    "## Make it again",
    "",
    facts.command
      ? `\`${facts.command}\`${facts.seed === undefined ? "" : ` (seed ${facts.seed})`}`
      : "Command not recorded.",
    "",
    "## Decision",
    "",
    `P(attack) ≥ ${manifest.threshold.toPrecision(6)} is an attack: the threshold at a false-positive rate of ${percent(manifest.thresholdFpr)} on held-out rows.`,
    ...(manifest.kind === "transformer"
      ? [
          `Windows of ${manifest.windowTokens} tokens, ${manifest.overlapTokens} shared; temperature ${manifest.temperature.toFixed(3)}; length penalty ${manifest.poolingPenalty.toFixed(3)} · ln(windows); served as ${manifest.precision}.`,
        ]
      : []),
    "",
    `## Figures on ${card.rows} held-out rows that chose nothing (95 % intervals)`,
    "",
    ...figureTable(card),
    "",
    "| label | precision | recall | F1 | rows |",
    "|---|---|---|---|---|",
    ...Object.entries(card.perClass).map(
      ([label, f]) => `| ${label} | ${percent(f.precision)} | ${percent(f.recall)} | ${percent(f.f1)} | ${f.support} |`,
    ),
    ...(card.parity
      ? [
          "",
          `int8 against fp32 on ${card.parity.texts} texts: largest logit difference ${card.parity.largestLogitDifference.toFixed(3)}, likeliest label changed in ${card.parity.flips}.`,
        ]
      : []),
    "",
    "## Known weaknesses",
    "",
    ...(facts.weaknesses ?? []).map((line) => `- ${line}`),
    ...weakest.map((line) => `- ${line}`),
    ...(weakest.length + (facts.weaknesses?.length ?? 0) === 0
      ? ["- None measured, which is not the same as none."]
      : []),
  ].join("\n")}\n`;
}

function section(title: string, lines: readonly string[] | undefined): string[] {
  return ["", `## ${title}`, "", ...(lines && lines.length > 0 ? lines.map((line) => `- ${line}`) : ["Not recorded."])];
}

function figureTable(card: Scorecard): string[] {
  const rows: [string, Interval | null][] = [
    ["accuracy", card.accuracy],
    ["macro F1", card.macroF1],
    ["ROC AUC", card.rocAuc],
    [`recall at ${percent(card.recallAtFpr?.fpr ?? 0)} false positives`, card.recallAtFpr],
    ["detection rate at the threshold", card.detectionRate],
    ["false-positive rate at the threshold", card.falsePositiveRate],
  ];
  return [
    "| figure | value | interval |",
    "|---|---|---|",
    ...rows.map(([name, figure]) =>
      figure
        ? `| ${name} | ${percent(figure.value)} | ${percent(figure.low)} – ${percent(figure.high)} |`
        : `| ${name} | no rows | |`,
    ),
    `| expected calibration error | ${percent(card.ece)} | |`,
    `| Brier score | ${card.brier.toFixed(4)} | |`,
  ];
}

/** The three slices of at least 20 attacks with the lowest detection rate, and of 20 benign with the most false alarms. */
function weakestSlices(card: Scorecard): string[] {
  const slices = Object.entries(card.slices).flatMap(([kind, parts]) =>
    Object.entries(parts).map(([name, figures]): [string, SliceFigures] => [`${kind} ${name}`, figures]),
  );
  const overallMiss = card.detectionRate?.value ?? 1;
  const overallAlarm = card.falsePositiveRate?.value ?? 0;
  const missed = slices
    .filter(([, f]) => f.attacks >= 20 && (f.detectionRate?.value ?? 1) < overallMiss)
    .sort(([, a], [, b]) => (a.detectionRate?.value ?? 1) - (b.detectionRate?.value ?? 1))
    .slice(0, 3)
    .map(([name, f]) => `${name}: detects ${percent(f.detectionRate?.value ?? 0)} of ${f.attacks} attacks.`);
  const alarms = slices
    .filter(([, f]) => f.benign >= 20 && (f.falsePositiveRate?.value ?? 0) > overallAlarm)
    .sort(([, a], [, b]) => (b.falsePositiveRate?.value ?? 0) - (a.falsePositiveRate?.value ?? 0))
    .slice(0, 3)
    .map(([name, f]) => `${name}: flags ${percent(f.falsePositiveRate?.value ?? 0)} of ${f.benign} benign rows.`);
  return [...missed, ...alarms];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
