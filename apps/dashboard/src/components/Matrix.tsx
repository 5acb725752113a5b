/** Pattern × mutator: what was detected, and which harmless twins were flagged. Weakest patterns first. */
import type { MatrixCell } from "@mlsec/contracts";
import { useState } from "react";
import { redTeam } from "../lib/api.ts";
import { percent } from "../lib/format.ts";
import { useQuery } from "../lib/use-query.ts";
import { Card } from "./Card.tsx";
import { Empty, Loaded } from "./Notice.tsx";

const firstRows = 15;

export function Matrix({ testId, version }: { testId: string; version: string }) {
  const matrix = useQuery(`matrix ${testId} ${version}`, () => redTeam.matrix({ params: { id: testId } }));
  return (
    <Card title="Pattern × mutator" wide>
      <Loaded query={matrix}>
        {({ cells }) =>
          cells.length === 0 ? <Empty title="Nothing labelled was answered" /> : <Table cells={cells} />
        }
      </Loaded>
    </Card>
  );
}

function Table({ cells }: { cells: readonly MatrixCell[] }) {
  const [all, setAll] = useState(false);
  const mutators = [...new Set(cells.map((cell) => cell.mutator))].sort(
    (a, b) => Number(b === "none") - Number(a === "none") || a.localeCompare(b),
  );
  const rows = [...Map.groupBy(cells, (cell) => cell.pattern).entries()]
    .map(([pattern, of]) => ({ pattern, of, missed: of.reduce((sum, cell) => sum + cell.attacks - cell.detected, 0) }))
    .sort((a, b) => b.missed - a.missed || a.pattern.localeCompare(b.pattern));
  return (
    <>
      <p className="quiet small">Detected of answered attacks; ▲ harmless twins flagged. Weakest patterns first.</p>
      <div className="scroll">
        <table className="matrix">
          <thead>
            <tr>
              <th scope="col">Pattern</th>
              {mutators.map((mutator) => (
                <th key={mutator} scope="col">
                  {mutator}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, all ? rows.length : firstRows).map(({ pattern, of }) => (
              <tr key={pattern}>
                <th scope="row">{pattern}</th>
                {mutators.map((mutator) => (
                  <Cell key={mutator} cell={of.find((cell) => cell.mutator === mutator)} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > firstRows ? (
        <button type="button" onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show all ${rows.length} patterns`}
        </button>
      ) : null}
    </>
  );
}

function Cell({ cell }: { cell: MatrixCell | undefined }) {
  if (!cell) return <td className="quiet">·</td>;
  const { attacks, detected, false_alarms: alarms, twins, errored, confidence_interval: interval } = cell;
  const tone = attacks === 0 ? "warn" : detected === attacks ? "good" : "bad";
  const between = interval ? `95 %: ${percent(interval.low)} to ${percent(interval.high)}` : "no answer";
  return (
    <td className={tone} title={`${between}${errored > 0 ? `, ${errored} errored` : ""}`}>
      {detected}/{attacks}
      {alarms > 0 ? (
        <span className="warn">
          {" "}
          ▲{alarms}/{twins}
        </span>
      ) : null}
    </td>
  );
}
