/** `mlsec models`: what can judge, and which version is champion. */
import type { Command } from "commander";
import type { AddCommand } from "../command.ts";
import { api } from "../settings.ts";
import { paint, percent, print, printJson, table } from "../terminal.ts";

const json = (command: Command): boolean => command.optsWithGlobals<{ json?: boolean }>().json ?? false;

export const add: AddCommand = (program) => {
  const models = program
    .command("models")
    .summary("list, load and promote models")
    .description("Models and their versions. Needs the server.")
    .option("--json", "print JSON")
    .action(list);
  models.command("versions").description("Registered versions.").action(versions);
  models
    .command("load")
    .description("Load a model.")
    .argument("<name>")
    .action(async (name: string) =>
      print(`${name} ${(await api.model.loadModel({ params: { name }, body: {} })).state}`),
    );
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
