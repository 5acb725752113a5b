/** The form that starts a training job. */
import type { DataSet } from "@mlsec/contracts";
import { useState } from "react";
import { training } from "../lib/api.ts";
import { useAction } from "../lib/use-query.ts";
import { Failed } from "./Notice.tsx";

const sample = "s3://ml-security/training_data/security_data.jsonl";

export function StartTraining({ dataSets, started }: { dataSets: readonly DataSet[]; started: (job: string) => void }) {
  const [model, setModel] = useState("distilbert");
  const [data, setData] = useState(sample);
  const [epochs, setEpochs] = useState("3");
  const [rate, setRate] = useState("2e-5");
  const [batch, setBatch] = useState("16");
  const [promote, setPromote] = useState<"if_better" | "never" | "force">("if_better");
  const start = useAction(async () => {
    const config =
      model === "linear" ? {} : { epochs: Number(epochs), learning_rate: Number(rate), batch_size: Number(batch) };
    const job = await training.train({ body: { model_name: model, training_data_path: data, config, promote } });
    started(job.job_id);
  });
  return (
    <form
      className="form"
      onSubmit={(e) => {
        e.preventDefault();
        start.run();
      }}
    >
      <label>
        Model
        <select value={model} onChange={(e) => setModel(e.target.value)}>
          <option value="distilbert">distilbert (transformer, minutes)</option>
          <option value="linear">linear (n-grams, seconds)</option>
        </select>
      </label>
      <label>
        Training data
        <select value={data} onChange={(e) => setData(e.target.value)}>
          <option value={sample}>Sample: {sample}</option>
          {dataSets
            .filter((d) => d.quality.passed && d.state !== "archived")
            .map((d) => (
              <option key={d.file_id} value={`dataset:${d.file_id}`}>
                {d.name} ({d.rows} rows)
              </option>
            ))}
        </select>
      </label>
      {model === "linear" ? null : (
        <div className="columns">
          <label>
            Epochs
            <input value={epochs} inputMode="decimal" required onChange={(e) => setEpochs(e.target.value)} />
          </label>
          <label>
            Learning rate
            <input value={rate} required onChange={(e) => setRate(e.target.value)} />
          </label>
          <label>
            Batch size
            <input value={batch} inputMode="numeric" required onChange={(e) => setBatch(e.target.value)} />
          </label>
        </div>
      )}
      <label>
        Promote
        <select value={promote} onChange={(e) => setPromote(e.target.value as typeof promote)}>
          <option value="if_better">if better than the champion</option>
          <option value="never">never</option>
          <option value="force">always</option>
        </select>
      </label>
      <button type="submit" className="primary" disabled={start.busy}>
        {start.busy ? "Starting …" : "Start training"}
      </button>
      {start.error ? <Failed>{start.error}</Failed> : null}
    </form>
  );
}
