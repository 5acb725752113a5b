/** What was sent and how it was judged; misses first, because they are what a person came for. */
import type { AttemptResult } from "@mlsec/contracts";
import { useState } from "react";
import { percent, title } from "../lib/format.ts";
import { Badge, type Tone } from "./Card.tsx";
import { Empty } from "./Notice.tsx";

const tones: Record<AttemptResult["status"], Tone> = {
  detected: "good",
  missed: "bad",
  passed: "good",
  false_alarm: "bad",
  flagged: "info",
  not_flagged: "quiet",
  errored: "warn",
};
const filters = ["all", "missed", "false_alarm", "errored", "detected", "passed", "flagged", "not_flagged"] as const;
const pageSize = 25;

export function Attempts({ results }: { results: readonly AttemptResult[] }) {
  const present = filters.filter((f) => f === "all" || results.some((r) => r.status === f));
  const [filter, setFilter] = useState<(typeof filters)[number]>();
  const [shown, setShown] = useState(pageSize);
  const active = filter && present.includes(filter) ? filter : present.includes("missed") ? "missed" : "all";
  const rows = active === "all" ? results : results.filter((r) => r.status === active);
  if (results.length === 0) return null;
  return (
    <div>
      <span className="row segments" role="group" aria-label="Attempts to show">
        {present.map((f) => (
          <button
            key={f}
            type="button"
            aria-pressed={f === active}
            onClick={() => {
              setFilter(f);
              setShown(pageSize);
            }}
          >
            {title(f)} ({f === "all" ? results.length : results.filter((r) => r.status === f).length})
          </button>
        ))}
      </span>
      {rows.length === 0 ? <Empty title="None" /> : null}
      <ul className="attempts">
        {rows.slice(0, shown).map((r, i) => (
          <li key={i}>
            <Badge tone={tones[r.status]}>{title(r.status)}</Badge>
            <div>
              <p className="attack" dir="auto">
                {r.text}
              </p>
              <p className="quiet small">
                {[
                  r.category ? title(r.category) : "no label",
                  r.pattern,
                  r.mutator,
                  r.prediction ? `judged ${title(r.prediction)} (${percent(r.confidence)})` : r.error,
                  r.severity,
                ]
                  .filter(Boolean)
                  .join(" · ")}
              </p>
            </div>
          </li>
        ))}
      </ul>
      {shown < rows.length ? (
        <button type="button" onClick={() => setShown(shown + pageSize)}>
          Show {Math.min(pageSize, rows.length - shown)} more of {rows.length}
        </button>
      ) : null}
    </div>
  );
}
