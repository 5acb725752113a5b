/** Upload a JSONL or CSV file of labelled rows; what is wrong with it is named by row. */
import { useRef, useState } from "react";
import { training } from "../lib/api.ts";
import { count } from "../lib/format.ts";
import { useAction } from "../lib/use-query.ts";
import { Failed } from "./Notice.tsx";

export function UploadData({ done }: { done: () => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [note, setNote] = useState<string>();
  const upload = useAction(async () => {
    const file = input.current?.files?.[0];
    if (!file) return;
    setNote(undefined);
    const type = file.name.endsWith(".csv") ? "text/csv" : "application/x-ndjson";
    const set = await training.uploadData({
      query: { name: file.name },
      body: file,
      headers: { "content-type": type },
    });
    const problems = set.quality.errors.slice(0, 3).map((e) => (e.row ? `row ${e.row}: ${e.message}` : e.message));
    setNote(
      set.quality.passed
        ? `${set.name}: ${count(set.rows)} rows in ${count(set.quality.groups)} groups, ready to train on.`
        : `${set.name} cannot be trained on. ${problems.join("; ")}`,
    );
    if (input.current) input.current.value = "";
    done();
  });
  return (
    <div className="upload">
      <div className="row">
        <input
          ref={input}
          type="file"
          accept=".jsonl,.csv,.ndjson"
          aria-label="Data file"
          onChange={upload.run}
          disabled={upload.busy}
        />
        <span className="quiet small">
          {upload.busy ? "Uploading and checking …" : "JSONL or CSV with text and label, one of the five labels"}
        </span>
      </div>
      {note ? <p className="small">{note}</p> : null}
      {upload.error ? <Failed>{upload.error}</Failed> : null}
    </div>
  );
}
