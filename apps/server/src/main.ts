// Starts all services, or those named on the command line, in this process.
import { AppError, type ServiceName, serviceNames } from "@mlsec/contracts";
import { loadConfig } from "./platform/config/environment.ts";
import { startSystem } from "./platform/system.ts";
import { describeError } from "./platform/telemetry/log.ts";
import { startTable } from "./platform/table.ts";
import { loadService } from "./wiring.ts";

/** Whatever is named; else everything that the settings do not place elsewhere. */
function namesToStart(
  asked: readonly string[],
  addresses: Readonly<Record<string, string | undefined>>,
): ServiceName[] {
  const unknown = asked.find((name) => !(serviceNames as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new AppError(
      "INVALID_CONFIG",
      `there is no service ${JSON.stringify(unknown)}; there are ${serviceNames.join(", ")}`,
    );
  }
  if (asked.length > 0) return serviceNames.filter((name) => asked.includes(name));
  return serviceNames.filter((name) => addresses[name] === undefined);
}

async function main(): Promise<void> {
  const began = performance.now();
  const config = loadConfig();
  const names = namesToStart(process.argv.slice(2), config.addresses);
  const stopping = Promise.withResolvers<string>();
  process.stdout.on("error", () => undefined);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stopping.resolve(signal));
  // The parent that waits for us may be gone: then nobody forwards a signal any more.
  process.on("disconnect", () => stopping.resolve("disconnect"));
  const system = await startSystem({ config, names, load: loadService });
  process.on("unhandledRejection", (error) =>
    system.log.error({ error: describeError(error) }, "a promise was rejected and nobody looked"),
  );
  const first = system.live.services().find((service) => service.state === "ready");
  system.lock.announce(first?.url ?? "no port");
  process.stdout.write(
    startTable(system.live, {
      seconds: (performance.now() - began) / 1000,
      keyless: config.keyless,
      addresses: config.addresses,
    }),
  );
  process.send?.("ready");
  await stopping.promise;
  process.stdout.write("Stopping: running requests are answered first.\n");
  await system.stop();
}

try {
  await main();
  process.exit(0);
} catch (error) {
  const told = error instanceof AppError && (error.code === "INVALID_CONFIG" || error.code === "CONFLICT");
  process.stderr.write(told ? `${error.message}\n` : `${JSON.stringify(describeError(error))}\n`);
  process.exit(1);
}
