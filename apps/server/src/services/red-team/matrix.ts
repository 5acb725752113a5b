// Detection and false alarms by pattern and mutator.
import type { MatrixCell } from "@mlsec/contracts";
import type { MatrixCount } from "./answer-store.ts";
import { intervalOf } from "./statistics.ts";

export function matrixOf(counts: readonly MatrixCount[]): MatrixCell[] {
  const cells = Map.groupBy(counts, ({ pattern, mutator }) => JSON.stringify([pattern, mutator]));
  return [...cells.values()].map((rows) => {
    const of = (...statuses: string[]): number =>
      rows.reduce((sum, { status, count }) => sum + (statuses.includes(status) ? count : 0), 0);
    const [detected, attacks] = [of("detected"), of("detected", "missed")];
    return {
      pattern: rows[0]?.pattern ?? "",
      mutator: rows[0]?.mutator ?? "",
      ...{ attacks, detected },
      twins: of("passed", "false_alarm"),
      false_alarms: of("false_alarm"),
      errored: of("errored"),
      confidence_interval: intervalOf(detected, attacks),
    };
  });
}
