/** Models: what can judge, what is loaded, and which version is champion. */
import type { ModelState } from "@mlsec/contracts";
import { Badge, Card, PageTitle, type Tone } from "../components/Card.tsx";
import { Empty, Failed, Loaded } from "../components/Notice.tsx";
import { messageOf, modelApi, training } from "../lib/api.ts";
import { bytes, dateTime, percent, title } from "../lib/format.ts";
import { definePage } from "../lib/page.ts";
import { useAction, useQuery } from "../lib/use-query.ts";

const tones: Record<ModelState["state"], Tone> = {
  loaded: "good",
  loading: "info",
  unloaded: "quiet",
  untrained: "warn",
  failed: "bad",
};

function Models() {
  const models = useQuery("models", () => modelApi.listModels(), 5000);
  return (
    <>
      <PageTitle title="Models">
        Detectors this system knows. A loaded one answers verdicts; the champion is the version that a name stands for.
      </PageTitle>
      <Loaded query={models} rows={5}>
        {(data) => (
          <>
            <div className="grid models">
              {data.models.filter(isHere).map((m) => (
                <ModelCard key={m.name} model={m} isDefault={m.name === data.default_model} changed={models.reload} />
              ))}
            </div>
            <Others models={data.models.filter((m) => !isHere(m))} changed={models.reload} />
          </>
        )}
      </Loaded>
      <Registry changed={models.reload} />
    </>
  );
}

/** Something that has judged, can judge, or should. The rest is known by name only. */
const isHere = (m: ModelState): boolean =>
  m.state !== "untrained" && (m.state !== "unloaded" || m.version !== null || m.error === null);

function Others({ models, changed }: { models: readonly ModelState[]; changed: () => void }) {
  if (models.length === 0) return null;
  return (
    <Card title="Encoders, and models that are not on this machine" wide>
      <div className="scroll">
        <table>
          <tbody>
            {models.map((m) => (
              <tr key={m.name}>
                <td>{m.name}</td>
                <td>
                  <Badge tone={m.error ? "quiet" : tones[m.state]}>{m.error ? "Not here" : title(m.state)}</Badge>
                </td>
                <td className="quiet">
                  {m.error ??
                    (m.state === "untrained"
                      ? `no trained head: it is what training starts from (${m.source})`
                      : m.source)}
                </td>
                <td>{m.state === "unloaded" ? <LoadLink name={m.name} changed={changed} /> : null}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function LoadLink({ name, changed }: { name: string; changed: () => void }) {
  const load = useAction(async () => {
    await modelApi.loadModel({ params: { name }, body: {} });
    changed();
  });
  return (
    <>
      <button type="button" className="link" disabled={load.busy} onClick={load.run}>
        {load.busy ? "Loading …" : "Try to load"}
      </button>
      {load.error ? <span className="small bad"> {load.error}</span> : null}
    </>
  );
}

function ModelCard({ model, isDefault, changed }: { model: ModelState; isDefault: boolean; changed: () => void }) {
  const params = { name: model.name };
  const load = useAction(async () => {
    await modelApi.loadModel({ params, body: {} });
    changed();
  });
  const unload = useAction(async () => {
    if (
      isDefault &&
      !confirm(
        `${model.name} is the default detector: calls without a model name fail while it is unloaded. Unload it?`,
      )
    )
      return;
    await modelApi.unloadModel({ params });
    changed();
  });
  const reload = useAction(async () => {
    await modelApi.reloadModel({ params });
    changed();
  });
  const error = load.error ?? unload.error ?? reload.error ?? model.error ?? undefined;
  const facts: [string, string][] = [
    ["Version", model.version ? `${model.version}${model.alias ? ` · ${model.alias}` : ""}` : "–"],
    ["Kind", model.kind],
    [
      "Threshold",
      model.threshold === null
        ? "–"
        : `${percent(model.threshold)}${model.threshold_fpr === null ? "" : ` at ${percent(model.threshold_fpr)} FPR`}`,
    ],
    ["On disk", bytes(model.size_bytes)],
    ["In memory", bytes(model.memory_bytes)],
    ["Source", model.source],
    ["Loaded", model.loaded_at ? dateTime(model.loaded_at) : "–"],
  ];
  return (
    <Card title={model.name} aside={<Badge tone={tones[model.state]}>{title(model.state)}</Badge>}>
      <dl className="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="clip" title={value}>
              {value}
            </dd>
          </div>
        ))}
      </dl>
      {error ? <Failed>{error}</Failed> : null}
      <div className="row">
        {model.state === "loaded" ? (
          <>
            <button
              type="button"
              disabled={reload.busy}
              onClick={reload.run}
              title="Load the champion again without dropping a request"
            >
              {reload.busy ? "Reloading …" : "Reload"}
            </button>
            <button type="button" disabled={unload.busy} onClick={unload.run}>
              {unload.busy ? "Unloading …" : "Unload"}
            </button>
          </>
        ) : (
          <button
            type="button"
            className="primary"
            disabled={load.busy || model.state === "loading"}
            onClick={load.run}
          >
            {load.busy || model.state === "loading" ? "Loading …" : "Load"}
          </button>
        )}
        {isDefault ? <span className="quiet small">default detector</span> : null}
      </div>
    </Card>
  );
}

function Registry({ changed }: { changed: () => void }) {
  const registry = useQuery("registry", () => training.registry(), 10_000);
  return (
    <Card title="Registered versions" wide>
      <Loaded query={registry}>
        {({ versions }) => {
          const rows = Object.values(versions).flat();
          if (rows.length === 0)
            return <Empty title="Nothing registered">A training job registers a version when it ends.</Empty>;
          return (
            <div className="scroll">
              <table>
                <thead>
                  <tr>
                    <th>Model</th>
                    <th>Version</th>
                    <th>Alias</th>
                    <th className="num">F1</th>
                    <th className="num">Accuracy</th>
                    <th className="num">Threshold</th>
                    <th>Registered</th>
                    <th />
                  </tr>
                </thead>
                <tbody>
                  {rows.map((v) => (
                    <tr key={`${v.model_name}/${v.version}`}>
                      <td>{v.model_name}</td>
                      <td>{v.version}</td>
                      <td>
                        {v.alias ? (
                          <Badge tone={v.alias.includes("champion") ? "good" : "quiet"}>{v.alias}</Badge>
                        ) : (
                          "–"
                        )}
                      </td>
                      <td className="num">{percent(v.f1_score)}</td>
                      <td className="num">{percent(v.accuracy)}</td>
                      <td className="num">{percent(v.threshold)}</td>
                      <td>{dateTime(v.timestamp)}</td>
                      <td>
                        {v.alias?.includes("champion") ? null : (
                          <Promote
                            name={v.model_name}
                            version={v.version}
                            done={() => {
                              registry.reload();
                              changed();
                            }}
                          />
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          );
        }}
      </Loaded>
    </Card>
  );
}

function Promote({ name, version, done }: { name: string; version: string; done: () => void }) {
  const action = useAction(async () => {
    const reason = prompt(`Why should ${name} version ${version} become champion? The reason is kept.`);
    if (!reason) return;
    try {
      await training.promote({ params: { name }, body: { version, reason } });
    } catch (error) {
      alert(messageOf(error));
    }
    done();
  });
  return (
    <button type="button" className="link" disabled={action.busy} onClick={action.run}>
      Make champion
    </button>
  );
}

export default definePage({
  path: "/models",
  title: "Models",
  order: 2,
  icon: "M12 2 3 7v10l9 5 9-5V7zm0 2.3L18.5 8 12 11.7 5.500 8zM5 9.700l6 3.400v6.300l-6-3.400zm14 0v6.300l-6 3.400v-6.300z",
  Component: Models,
});
