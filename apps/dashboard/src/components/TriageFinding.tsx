/** One finding: what it is, who decided what, and the buttons to decide. */
import type { FindingDetail, FindingState } from "@mlsec/contracts";
import { useState } from "react";
import { redTeam } from "../lib/api.ts";
import { dateTime, percent, title } from "../lib/format.ts";
import { useAction, useQuery } from "../lib/use-query.ts";
import { Failed, Loaded } from "./Notice.tsx";

const choices: readonly { readonly state: FindingState; readonly name: string }[] = [
  { state: "confirmed", name: "Confirm" },
  { state: "false_positive", name: "False positive" },
  { state: "accepted_risk", name: "Accept risk" },
  { state: "fixed", name: "Fixed" },
  { state: "open", name: "Reopen" },
];
const dayMs = 86_400_000;

export function TriageFinding({ id, changed }: { id: string; changed: () => void }) {
  const detail = useQuery(`finding ${id}`, () => redTeam.finding({ params: { id } }));
  const reload = (): void => {
    detail.reload();
    changed();
  };
  return (
    <div className="finding">
      <Loaded query={detail} rows={2}>
        {(finding) => (
          <>
            <Facts finding={finding} />
            <Decide finding={finding} changed={reload} />
            <History finding={finding} />
          </>
        )}
      </Loaded>
    </div>
  );
}

function Facts({ finding }: { finding: FindingDetail }) {
  const { severity_parts: parts, reproduce, suppression } = finding;
  const entries: readonly (readonly [string, string])[] = [
    ["Severity", `${finding.severity}: impact ${parts.impact} × exposure ${parts.exposure} = ${parts.weight}`],
    ["First seen", dateTime(finding.first_seen)],
    [
      "Draws again with",
      reproduce.seed === null ? "the text of its test" : `seed ${reproduce.seed}, text ${reproduce.ordinal}`,
    ],
    ["Fingerprint", finding.fingerprint],
    ...(finding.note ? [["Note", `${finding.note} (${finding.triaged_by ?? ""})`] as const] : []),
    ...(suppression ? [["Suppressed", `until ${dateTime(suppression.until)}: ${suppression.reason}`] as const] : []),
  ];
  return (
    <dl className="facts">
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Decide({ finding, changed }: { finding: FindingDetail; changed: () => void }) {
  const params = { id: finding.finding_id };
  const [note, setNote] = useState("");
  const [days, setDays] = useState("30");
  const [next, setNext] = useState<FindingState>();
  const said = note.trim();
  const decide = useAction(async () => {
    if (next) await redTeam.triage({ params, body: { state: next, ...(said ? { note: said } : {}) } });
    setNote("");
    setNext(undefined);
    changed();
  });
  const suppress = useAction(async () => {
    const until = new Date(Date.now() + Number(days) * dayMs).toISOString();
    await redTeam.triage({ params, body: { suppress: finding.suppression ? null : { reason: said, until } } });
    setNote("");
    changed();
  });
  const replay = useAction(async () => {
    await redTeam.replay({ params });
    changed();
  });
  const needsNote = next === "false_positive" || next === "accepted_risk";
  const last = finding.last_replay;
  const failed = decide.error ?? suppress.error ?? replay.error;
  return (
    <div className="form">
      <label>
        Note or reason
        <input value={note} maxLength={500} onChange={(e) => setNote(e.target.value)} />
      </label>
      <div className="row filters">
        <select aria-label="Decision" value={next ?? ""} onChange={(e) => setNext(e.target.value as FindingState)}>
          <option value="" disabled>
            Decide …
          </option>
          {choices
            .filter(({ state }) => state !== finding.state)
            .map(({ state, name }) => (
              <option key={state} value={state}>
                {name}
              </option>
            ))}
        </select>
        <button
          type="button"
          className="primary"
          disabled={!next || decide.busy || (needsNote && said === "")}
          title={needsNote && said === "" ? "This needs a note" : ""}
          onClick={decide.run}
        >
          Save
        </button>
        <button type="button" disabled={replay.busy} onClick={replay.run}>
          {replay.busy ? "Sending …" : "Replay"}
        </button>
        {finding.suppression ? null : (
          <select aria-label="Suppress for" value={days} onChange={(e) => setDays(e.target.value)}>
            {["7", "30", "90", "365"].map((d) => (
              <option key={d} value={d}>
                {d} days
              </option>
            ))}
          </select>
        )}
        <button
          type="button"
          disabled={suppress.busy || (!finding.suppression && said.length < 3)}
          title={!finding.suppression && said.length < 3 ? "This needs a reason" : ""}
          onClick={suppress.run}
        >
          {finding.suppression ? "End suppression" : "Suppress"}
        </button>
      </div>
      {last ? (
        <p className={last.stands ? "bad" : "good"}>
          {last.stands ? "It stands" : "Answered rightly"} on version {last.model_version}: judged{" "}
          {title(last.prediction)} ({percent(last.confidence)}), {dateTime(last.at)}
        </p>
      ) : null}
      {failed ? <Failed>{failed}</Failed> : null}
    </div>
  );
}

const History = ({ finding }: { finding: FindingDetail }) => (
  <details>
    <summary>History ({finding.history.length})</summary>
    <ul className="plain">
      {finding.history.map((event, i) => (
        <li key={i} className="small">
          {dateTime(event.at)} · {event.event} by {event.by}, now {title(event.state).toLowerCase()}
          {event.note ? `: ${event.note}` : ""}
        </li>
      ))}
    </ul>
  </details>
);
