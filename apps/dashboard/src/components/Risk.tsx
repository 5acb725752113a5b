/** The risk score of a model with the parts that add up to it. */
import type { ModelRisk } from "@mlsec/contracts";
import { redTeam } from "../lib/api.ts";
import { percent, title } from "../lib/format.ts";
import { useQuery } from "../lib/use-query.ts";
import { Bars } from "./Bars.tsx";
import { Card, Figure } from "./Card.tsx";
import { Empty, Loaded } from "./Notice.tsx";

export function Risk({ model, version }: { model: string; version: string }) {
  const risk = useQuery(`risk ${model} ${version}`, () => redTeam.risk({ query: { model_name: model } }));
  return (
    <Card title={`Risk of ${model}`} wide>
      <Loaded query={risk}>
        {({ models }) =>
          models[0] ? <Parts risk={models[0]} /> : <Empty title="No labelled test of this model so far" />
        }
      </Loaded>
    </Card>
  );
}

function Parts({ risk }: { risk: ModelRisk }) {
  const { critical, high, medium, low } = risk.open_findings;
  return (
    <>
      <div className="figures">
        <Figure
          label="Risk score"
          value={risk.risk_score === null ? "–" : `${risk.risk_score.toFixed(1)} / 100`}
          note={`version ${risk.model_version}, last ${risk.tests} ${risk.tests === 1 ? "test" : "tests"}`}
        />
        <Figure
          label="Accepted"
          value={risk.accepted_risk.toFixed(1)}
          note="accepted or suppressed, not in the score"
        />
        <Figure
          label="False positives"
          value={percent(risk.false_positive_rate)}
          note={
            risk.false_positive_interval
              ? `95 %: ${percent(risk.false_positive_interval.low)} to ${percent(risk.false_positive_interval.high)}`
              : "no benign texts ran"
          }
        />
        <Figure
          label="Open findings"
          value={String(critical + high + medium + low)}
          note={`${critical} critical, ${high} high, ${medium} medium, ${low} low`}
        />
      </div>
      <Bars
        label="Points of the score"
        rows={risk.parts.map((part) => ({
          name: `${title(part.category)}${part.mutated ? ", disguised" : ""}`,
          share: risk.risk_score ? part.points / risk.risk_score : 0,
          text: `${part.points.toFixed(1)} (${part.missed}/${part.attacks})`,
          tone: "bad",
        }))}
      />
      <p className="quiet small">
        100 × weight of missed attacks ÷ weight of all that were answered, each distinct attack once by its latest
        answer. The points add up to the score; in brackets the missed of the answered.
      </p>
    </>
  );
}
