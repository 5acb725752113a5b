/** `mlsec models`: what can judge, and which version is champion. */
import { setTimeout as delay } from "node:timers/promises";
import { AppError, Label, type ModelState } from "@mlsec/contracts";
import type { Command } from "commander";
import type { AddCommand } from "../command.ts";
import { pull, sourceOf } from "../hub.ts";
import { api } from "../settings.ts";
import { note, paint, percent, print, printJson, table } from "../terminal.ts";

const json = (command: Command): boolean => command.optsWithGlobals<{ json?: boolean }>().json ?? false;

export const add: AddCommand = (program) => {
  const models = program
    .command("models")
    .summary("list, fetch, load and promote models")
    .description("Models and their versions. Needs the server, but for pull.")
    .option("--json", "print JSON")
    .action(list);
  models.command("versions").description("Registered versions.").option("--json", "print JSON").action(versions);
  models
    .command("load")
    .description("Load a model: a registered one, file:<folder> or hf:<owner>/<repo>[@revision].")
    .argument("<name>")
    .option("--map <label=ours>", "what a label of a foreign model means here; once for each of its labels", collect)
    .action(load);
  models
    .command("pull")
    .description(
      "Fetch a hub model into the data folder: a checkpoint by its short name, or hf:<owner>/<repo>[@revision].",
    )
    .argument("<name>")
    .option("--json", "print JSON")
    .action(fetchModel);
  models
    .command("unload")
    .description("Unload a model.")
    .argument("<name>")
    .action(async (name: string) => print(`${name} ${(await api.model.unloadModel({ params: { name } })).state}`));
  models
    .command("promote")
    .description("Make a version the champion.")
    .argument("<name>")
    .argument("<version>")
    .requiredOption("--reason <text>", "why; it is kept")
    .action(promote);
  models
    .command("rollback")
    .description("Make the champion before this one the champion again.")
    .argument("<name>")
    .requiredOption("--reason <text>", "why; it is kept")
    .action(rollback);
};

const collect = (value: string, all: readonly string[] = []): readonly string[] => [...all, value];

async function load(name: string, { map = [] }: { map?: readonly string[] }): Promise<void> {
  const pairs = map.map((pair) => {
    const at = pair.lastIndexOf("=");
    const ours = Label.safeParse(pair.slice(at + 1));
    if (at < 1 || !ours.success)
      throw new AppError("INVALID_INPUT", `--map ${pair}: expected its label = one of ${Label.options.join(", ")}`);
    return [pair.slice(0, at), ours.data] as const;
  });
  const body = pairs.length === 0 ? {} : { label_map: Object.fromEntries(pairs) };
  let state: ModelState = await api.model.loadModel({ params: { name }, body });
  for (let said = -1; state.state === "loading"; state = await api.model.getModel({ params: { name } })) {
    const { done_bytes: done = 0, total_bytes: total = 0 } = state.download ?? {};
    const tenth = total > 0 ? Math.floor((10 * done) / total) : 0;
    if (tenth !== said) note(`fetching: ${(done / 1e6).toFixed(0)} of ${(total / 1e6).toFixed(0)} MB`);
    said = tenth;
    await delay(1000);
  }
  if (state.state === "failed") throw new AppError("CONFLICT", state.error ?? "the model could not be loaded");
  print(`${name} ${state.state}`);
}

async function fetchModel(name: string, _: unknown, command: Command): Promise<void> {
  const source = await sourceOf(name);
  if (!source) {
    const { MODEL_CONFIGS } = await import("@mlsec/engine");
    const known = Object.keys(MODEL_CONFIGS).join(", ");
    throw new AppError(
      "MODEL_NOT_FOUND",
      `no checkpoint is called "${name}"; known are ${known}, and hf:<owner>/<repo>`,
    );
  }
  const model = await pull(source, json(command));
  if (json(command)) return printJson(model);
  const bytes = Object.values(model.files).reduce((sum, file) => sum + file.bytes, 0);
  const how = model.receivedBytes === 0 ? "was here already" : `${(model.receivedBytes / 1e6).toFixed(1)} MB received`;
  print(`${model.repository}@${model.commit}  ${(bytes / 1e6).toFixed(1)} MB, ${how}`);
  print(paint("dim", model.folder));
}

async function list(_: unknown, command: Command): Promise<void> {
  const { models, default_model } = await api.model.listModels();
  if (json(command)) return printJson(models);
  const rows = models.map((m) => [
    m.name === default_model ? paint("bold", `${m.name} *`) : m.name,
    paint(m.state === "loaded" ? "green" : "dim", m.state),
    m.version ?? "–",
    m.alias ?? "–",
    m.kind,
    percent(m.threshold),
    m.memory_bytes > 0 ? `${Math.round(m.memory_bytes / 1024 ** 2)} MB` : "–",
    m.error ?? "",
  ]);
  print(table(["model", "state", "version", "alias", "kind", "threshold", "memory", ""], rows));
  print(paint("dim", "* default"));
}

async function versions(_: unknown, command: Command): Promise<void> {
  const registry = await api.training.registry();
  if (json(command)) return printJson(registry);
  const rows = Object.values(registry.versions)
    .flat()
    .map((v) => [
      v.model_name,
      v.version,
      v.alias ?? "–",
      percent(v.f1_score),
      percent(v.accuracy),
      percent(v.threshold),
      v.timestamp.slice(0, 16).replace("T", " "),
    ]);
  print(
    rows.length === 0
      ? "nothing registered yet"
      : table(["model", "version", "alias", "F1", "accuracy", "threshold", "registered"], rows),
  );
}

async function promote(name: string, version: string, { reason }: { reason: string }): Promise<void> {
  const move = await api.training.promote({ params: { name }, body: { version, reason } });
  print(`${move.model_name}: champion is now version ${move.version} (before: ${move.previous_version ?? "none"})`);
}

async function rollback(name: string, { reason }: { reason: string }): Promise<void> {
  const move = await api.training.rollback({ params: { name }, body: { reason } });
  print(`${move.model_name}: champion is again version ${move.version} (before: ${move.previous_version ?? "none"})`);
}
