/** The page In the browser: the served detector fetched into this page, judging beside the server that it came from. */
import { useEffect, useRef, useState } from "react";
import { Badge, Card, PageTitle, type Tone } from "./Card.tsx";
import { agreement, apart, Compare, type Comparison } from "./Compare.tsx";
import { Empty, Failed, Loaded } from "./Notice.tsx";
import { messageOf, modelApi } from "../lib/api.ts";
import { type Edge, type EdgeAbout, openEdge } from "../lib/edge.ts";
import { bytes, millis, percent, title } from "../lib/format.ts";
import samples from "../lib/samples.json" with { type: "json" };
import { useAction, useQuery } from "../lib/use-query.ts";

type State =
  | { readonly is: "idle" }
  | { readonly is: "loading"; readonly done: number; readonly total: number }
  | { readonly is: "ready"; readonly edge: Edge; readonly model: string }
  | { readonly is: "failed"; readonly message: string };

const shown: Record<State["is"], readonly [Tone, string]> = {
  idle: ["quiet", "Not loaded"],
  loading: ["info", "Loading"],
  ready: ["good", "Ready"],
  failed: ["bad", "Failed"],
};

function useEdge() {
  const [state, setState] = useState<State>({ is: "idle" });
  const running = useRef<AbortController>(undefined);
  const close = (): void => running.current?.abort();
  useEffect(() => close, []);
  const load = (model: string): void => {
    close();
    const controller = new AbortController();
    running.current = controller;
    const set = (next: State): void => void (controller.signal.aborted || setState(next));
    set({ is: "loading", done: 0, total: 0 });
    openEdge(model, (done, total) => set({ is: "loading", done, total }), controller.signal).then(
      (edge) => set({ is: "ready", edge, model }),
      (error: unknown) => {
        set({ is: "failed", message: messageOf(error) });
        controller.abort();
      },
    );
  };
  return { state, load };
}

function useOnline(): boolean {
  const [online, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const update = (): void => setOnline(navigator.onLine);
    for (const name of ["online", "offline"]) addEventListener(name, update);
    return () => {
      for (const name of ["online", "offline"]) removeEventListener(name, update);
    };
  }, []);
  return online;
}

export function Edges() {
  const { state, load } = useEdge();
  const online = useOnline();
  return (
    <>
      <PageTitle title="In the browser">
        The same detector on your own machine: once fetched it judges without the server, which is asked here for
        comparison only.
      </PageTitle>
      <div className="stack">
        <Detector state={state} online={online} load={load} />
        {state.is === "ready" ? (
          <>
            <Judge edge={state.edge} model={state.model} online={online} />
            <Samples edge={state.edge} model={state.model} />
          </>
        ) : null}
      </div>
    </>
  );
}

function Detector({ state, online, load }: { state: State; online: boolean; load: (model: string) => void }) {
  const models = useQuery("edge-models", () => modelApi.listModels());
  const [chosen, setChosen] = useState<string>();
  const [tone, word] = shown[state.is];
  return (
    <Card
      title="Detector"
      aside={
        <span className="row">
          {online ? null : <Badge tone="warn">Offline</Badge>}
          <Badge tone={tone}>{word}</Badge>
        </span>
      }
    >
      <Loaded query={models} rows={2}>
        {(data) => {
          const here = data.models.filter((m) => m.state === "loaded");
          const model = chosen ?? data.default_model;
          const size = here.find((m) => m.name === model)?.size_bytes;
          if (here.length === 0) return <Empty title="No detector is loaded">Load one on the page Models.</Empty>;
          return (
            <div className="row">
              <select aria-label="Detector" value={model} onChange={(e) => setChosen(e.target.value)}>
                {here.map((m) => (
                  <option key={m.name} value={m.name}>
                    {m.name} · version {m.version} · {bytes(m.size_bytes)}
                  </option>
                ))}
              </select>
              <button
                type="button"
                className="primary"
                disabled={state.is === "loading" || size === undefined}
                onClick={() => load(model)}
              >
                {state.is === "loading" ? "Loading …" : state.is === "ready" ? "Load again" : "Load into this page"}
              </button>
            </div>
          );
        }}
      </Loaded>
      {state.is === "loading" ? <Progress done={state.done} total={state.total} /> : null}
      {state.is === "ready" ? <About about={state.edge.about} model={state.model} /> : null}
      {state.is === "failed" ? <Failed>{state.message}</Failed> : null}
      {!online && state.is !== "ready" ? (
        <p className="hint">
          There is no network: a detector cannot be fetched unless the browser still has its files.
        </p>
      ) : null}
    </Card>
  );
}

function Progress({ done, total }: { done: number; total: number }) {
  const share = total > 0 ? Math.min(1, done / total) : 0;
  return (
    <div role="status">
      <div className="progress">
        <span style={{ width: `${share * 100}%` }} />
      </div>
      <p className="hint">
        {share < 1 ? `${bytes(done)} of ${total > 0 ? bytes(total) : "…"}` : "Fetched; building the graph …"}
      </p>
    </div>
  );
}

const About = ({ about, model }: { about: EdgeAbout; model: string }) => (
  <p className="hint" role="status">
    {model}: {about.kind}
    {about.kind === "transformer"
      ? `, ${about.precision}, ONNX Runtime as WebAssembly on one thread`
      : ", no runtime needed"}
    . {bytes(about.bytes)} read in {millis(about.ms)}, {about.cachedBytes > 0 ? bytes(about.cachedBytes) : "nothing"} of
    it from the browser's cache; {bytes(about.memoryBytes)} of weights in memory.
  </p>
);

/** Both verdicts of one text; the server's own failure does not take the browser's answer away. */
async function compare(edge: Edge, model: string, text: string): Promise<Comparison> {
  const { verdict, ms } = await edge.judge(text);
  const browser = { ...verdict, spans: verdict.spans, ms };
  const started = performance.now();
  const server = await modelApi.predict({ body: { text, model_name: model, cascade: false, explain: true } }).then(
    ({ prediction, attack_probability, is_attack, spans }) => ({
      prediction,
      attackProbability: attack_probability,
      isAttack: is_attack,
      spans,
      ms: performance.now() - started,
    }),
    messageOf,
  );
  return { text, browser, server };
}

function Judge({ edge, model, online }: { edge: Edge; model: string; online: boolean }) {
  const [text, setText] = useState("");
  const [comparison, setComparison] = useState<Comparison>();
  const judge = useAction(async () => setComparison(await compare(edge, model, text)));
  return (
    <Card title="Judge a text twice" aside={online ? null : <span className="hint">only the browser answers</span>}>
      <div className="try">
        <div className="try-input">
          <textarea
            aria-label="Text to judge"
            placeholder="Type or paste a text: this page and the server judge it independently."
            value={text}
            rows={5}
            dir="auto"
            spellCheck={false}
            onChange={(e) => setText(e.target.value)}
          />
          <div className="row">
            <button type="button" className="primary" disabled={judge.busy || text === ""} onClick={judge.run}>
              {judge.busy ? "Judging …" : "Judge"}
            </button>
          </div>
        </div>
        <div className="try-answer" aria-live="polite">
          {judge.error ? <Failed>{judge.error}</Failed> : null}
          {comparison ? <Compare comparison={comparison} /> : <Empty title="No verdict yet">Type a text.</Empty>}
        </div>
      </div>
    </Card>
  );
}

function Samples({ edge, model }: { edge: Edge; model: string }) {
  const [rows, setRows] = useState<readonly Comparison[]>([]);
  const all = useAction(async () => {
    setRows([]);
    for (const text of samples) {
      const row = await compare(edge, model, text);
      setRows((known) => [...known, row]);
    }
  });
  const equal = rows.filter((row) => agreement(row).equal).length;
  return (
    <Card
      title={`${samples.length} texts of several languages and kinds`}
      aside={
        <button type="button" disabled={all.busy} onClick={all.run}>
          {all.busy ? "Comparing …" : "Compare all"}
        </button>
      }
    >
      {all.error ? <Failed>{all.error}</Failed> : null}
      {rows.length === 0 ? (
        <Empty title="Not compared yet" />
      ) : (
        <>
          <p className="hint" role="status">
            {equal} of {rows.length} equal: the same prediction and spans, P(attack) within 0.01.
          </p>
          <SampleTable rows={rows} />
        </>
      )}
    </Card>
  );
}

const SampleTable = ({ rows }: { rows: readonly Comparison[] }) => (
  <div className="scroll">
    <table className="samples">
      <thead>
        <tr>
          <th>Text</th>
          <th>Prediction</th>
          <th className="num">Browser</th>
          <th className="num">Server</th>
          <th className="num">Difference</th>
          <th className="num">Time here</th>
          <th />
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => {
          const { difference, equal } = agreement(row);
          const { browser, server, text } = row;
          return (
            <tr key={text} data-equal={equal}>
              <td className="clip" title={text} dir="auto">
                {text}
              </td>
              <td>{title(browser.prediction)}</td>
              <td className="num">{percent(browser.attackProbability)}</td>
              <td className="num">{typeof server === "string" ? "–" : percent(server.attackProbability)}</td>
              <td className="num">{typeof server === "string" ? "–" : apart(difference)}</td>
              <td className="num">{millis(browser.ms)}</td>
              <td>
                <Badge tone={equal ? "good" : "bad"}>{equal ? "Equal" : "Differs"}</Badge>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  </div>
);
