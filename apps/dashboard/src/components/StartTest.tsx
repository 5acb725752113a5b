/** The form that starts a red-team test: generated attacks, or texts of one's own. */
import { type AttackLabel, labels } from "@mlsec/contracts";
import { useState } from "react";
import { modelApi, redTeam } from "../lib/api.ts";
import { title } from "../lib/format.ts";
import { useAction, useQuery } from "../lib/use-query.ts";
import { Failed } from "./Notice.tsx";

const attackLabels = labels.filter((l): l is AttackLabel => l !== "benign");

export function StartTest({ started }: { started: (test: string) => void }) {
  const models = useQuery("test-models", () => modelApi.listModels());
  const mutators = useQuery("mutators", () => redTeam.mutators());
  const [model, setModel] = useState("distilbert");
  const [own, setOwn] = useState(false);
  const [texts, setTexts] = useState("");
  const [expected, setExpected] = useState<"attack" | "benign" | "">("attack");
  const [amount, setAmount] = useState("100");
  const [seed, setSeed] = useState("7");
  const [chosen, setChosen] = useState<readonly AttackLabel[]>(attackLabels);
  const [used, setUsed] = useState<readonly string[]>([]);
  const start = useAction(async () => {
    const lines = texts.split("\n").filter((line) => line.trim() !== "");
    const body = own
      ? { model_name: model, test_texts: expected === "" ? lines : lines.map((text) => ({ text, expected })) }
      : {
          model_name: model,
          attack_categories: [...chosen],
          num_attacks: Number(amount),
          seed: Number(seed),
          mutators: [...used],
        };
    started((await redTeam.test({ body })).test_id);
  });
  const toggle = <T,>(list: readonly T[], item: T): readonly T[] =>
    list.includes(item) ? list.filter((x) => x !== item) : [...list, item];
  const loaded = models.data?.models.filter((m) => m.state === "loaded") ?? [];
  return (
    <form
      className="form"
      onSubmit={(e) => {
        e.preventDefault();
        start.run();
      }}
    >
      <label>
        Detector
        <select value={model} onChange={(e) => setModel(e.target.value)}>
          {(loaded.length > 0 ? loaded.map((m) => m.name) : ["distilbert"]).map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <span className="row segments" role="group" aria-label="What to send">
        <button type="button" aria-pressed={!own} onClick={() => setOwn(false)}>
          Generated attacks
        </button>
        <button type="button" aria-pressed={own} onClick={() => setOwn(true)}>
          My own texts
        </button>
      </span>
      {own ? (
        <>
          <label>
            One text a line
            <textarea rows={5} value={texts} required spellCheck={false} onChange={(e) => setTexts(e.target.value)} />
          </label>
          <label>
            They are
            <select value={expected} onChange={(e) => setExpected(e.target.value as typeof expected)}>
              <option value="attack">attacks</option>
              <option value="benign">harmless</option>
              <option value="">unlabelled</option>
            </select>
          </label>
        </>
      ) : (
        <>
          <fieldset>
            <legend>Categories</legend>
            {attackLabels.map((label) => (
              <label key={label} className="check">
                <input
                  type="checkbox"
                  checked={chosen.includes(label)}
                  onChange={() => setChosen(toggle(chosen, label))}
                />{" "}
                {title(label)}
              </label>
            ))}
          </fieldset>
          <div className="columns">
            <label>
              Attacks
              <input value={amount} inputMode="numeric" required onChange={(e) => setAmount(e.target.value)} />
            </label>
            <label>
              Seed
              <input value={seed} inputMode="numeric" required onChange={(e) => setSeed(e.target.value)} />
            </label>
          </div>
          <details>
            <summary>Mutators ({used.length === 0 ? "none: attacks as they are" : used.length})</summary>
            <div className="checks">
              {mutators.data?.mutators.map((m) => (
                <label key={m.id} className="check" title={m.summary}>
                  <input type="checkbox" checked={used.includes(m.id)} onChange={() => setUsed(toggle(used, m.id))} />{" "}
                  {m.id}
                </label>
              ))}
            </div>
          </details>
        </>
      )}
      <button type="submit" className="primary" disabled={start.busy || (!own && chosen.length === 0)}>
        {start.busy ? "Starting …" : "Start test"}
      </button>
      {start.error ? <Failed>{start.error}</Failed> : null}
    </form>
  );
}
