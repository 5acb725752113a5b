/** Why a version did or did not become champion, with the figures of both. */
import type { GateFigures, Promotion as PromotionBlock } from "@mlsec/contracts";
import { percent, title } from "../lib/format.ts";
import { Badge } from "./Card.tsx";

const rows: readonly [string, (f: GateFigures) => string][] = [
  ["Recall on attacks", (f) => percent(f.recall)],
  ["False positives", (f) => percent(f.false_positive_rate)],
  ["Macro F1", (f) => percent(f.macro_f1)],
  ["Accuracy", (f) => percent(f.accuracy)],
  ["ROC-AUC", (f) => percent(f.roc_auc)],
  ["Threshold", (f) => percent(f.threshold)],
];

export function Promotion({ promotion, version }: { promotion: PromotionBlock; version: string }) {
  const { champion, candidate, decision, reason, suite } = promotion;
  const won = decision === "promoted" || decision === "first_champion";
  return (
    <div className="promotion">
      <p>
        <Badge tone={won ? "good" : "quiet"}>{title(decision)}</Badge> {reason}
      </p>
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th>
                On {suite.name}, {suite.rows} rows
              </th>
              <th className="num">This version ({version})</th>
              <th className="num">{champion ? `Champion (${champion.version})` : "No champion"}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, of]) => (
              <tr key={name}>
                <td>{name}</td>
                <td className="num">{of(candidate)}</td>
                <td className="num">{champion ? of(champion) : "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
