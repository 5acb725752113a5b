// The only place that knows where services lie: each is found by its name in its folder, and loaded when it is started.
import type { ServiceName } from "@mlsec/contracts";
import type { ServiceDefinition } from "./platform/service.ts";

/** The definition that `services/<name>/service.ts` exports as `service`. */
export async function loadService(name: ServiceName): Promise<ServiceDefinition> {
  const { service } = (await import(`./services/${name}/service.ts`)) as { service: ServiceDefinition };
  return service;
}
