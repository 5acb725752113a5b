/** One text judged twice, by this browser and by the server. */
import type { Span } from "@mlsec/contracts";
import { millis, percent, title } from "../lib/format.ts";
import { Badge } from "./Card.tsx";
import { Evidence } from "./Evidence.tsx";

export interface Side {
  readonly prediction: string;
  readonly attackProbability: number;
  readonly isAttack: boolean;
  readonly spans: readonly Span[];
  readonly ms: number;
}
export interface Comparison {
  readonly text: string;
  readonly browser: Side;
  /** Or why there is none. */
  readonly server: Side | string;
}

/** The rounding of int8 on another processor moves a probability by no more than this, unless it lies on the slope. */
const tolerance = 0.01;
const places = (spans: readonly Span[]): string =>
  spans.map(({ start, end, view }) => `${start}-${end} ${view}`).join();

export interface Agreement {
  readonly difference: number;
  /** The same prediction and spans. */
  readonly same: boolean;
  /** And the same probability. */
  readonly equal: boolean;
}

export function agreement({ browser, server }: Comparison): Agreement {
  if (typeof server === "string") return { difference: Number.NaN, same: false, equal: false };
  const difference = Math.abs(browser.attackProbability - server.attackProbability);
  const same = browser.prediction === server.prediction && places(browser.spans) === places(server.spans);
  return { difference, same, equal: same && difference <= tolerance };
}

/** Small differences in a form that shows them. */
export const apart = (difference: number): string =>
  difference === 0 ? "0" : difference < 1e-4 ? difference.toExponential(1) : difference.toFixed(4);

export function Compare({ comparison }: { comparison: Comparison }) {
  const { text, browser, server } = comparison;
  const { difference, equal, same } = agreement(comparison);
  return (
    <div className="compare" data-verdict={JSON.stringify(browser)}>
      <div className="figures">
        <Verdict name="This browser" side={browser} />
        {typeof server === "string" ? (
          <div className="figure">
            <span className="label">The server</span>
            <span className="quiet">{server}</span>
          </div>
        ) : (
          <Verdict name="The server" side={server} />
        )}
        {typeof server === "string" ? null : (
          <div className="figure">
            <span className="label">Difference</span>
            <strong>{apart(difference)}</strong>
            <Badge tone={equal ? "good" : same ? "warn" : "bad"}>
              {equal ? "Equal verdicts" : same ? "Same decision" : "Verdicts differ"}
            </Badge>
          </div>
        )}
      </div>
      <Evidence text={text} spans={browser.isAttack ? browser.spans : []} />
    </div>
  );
}

const Verdict = ({ name, side }: { name: string; side: Side }) => (
  <div className="figure">
    <span className="label">{name}</span>
    <strong>{percent(side.attackProbability)}</strong>
    <Badge tone={side.isAttack ? "bad" : "good"}>{title(side.prediction)}</Badge>
    <small>
      P(attack) in {millis(side.ms)}, {side.spans.length} {side.spans.length === 1 ? "span" : "spans"}
    </small>
  </div>
);
