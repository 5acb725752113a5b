// What runs in this process right now, and what happens in it, for health views and the dashboard's event stream.
import { EventEmitter, on } from "node:events";

export interface ServiceState {
  readonly name: string;
  readonly title: string;
  readonly port: number;
  readonly url: string;
  /** `off`: its port was taken or it failed to start; `detail` says which. `elsewhere`: not started in this process. */
  readonly state: "starting" | "ready" | "off" | "elsewhere";
  readonly detail?: string;
}

/** Something the services stand on. */
export interface PartState {
  readonly name: string;
  readonly embedded: boolean;
  readonly address: string;
  /** The settings that point it at a real server. */
  readonly settings: string;
}

export interface LiveEvent {
  readonly type: string;
  readonly at: string;
  readonly data: unknown;
}

export interface LiveStatus {
  services(): readonly ServiceState[];
  parts(): readonly PartState[];
  /** Tells every subscriber in this process; `data` must be plain JSON and must not hold raw text. */
  publish(type: string, data: unknown): void;
  /** Events from now on, until the signal aborts. */
  subscribe(signal: AbortSignal): AsyncIterable<LiveEvent>;
}

export interface LiveBoard extends LiveStatus {
  setService(state: ServiceState): void;
  setPart(state: PartState): void;
}

export function createLiveBoard(clock: () => Date): LiveBoard {
  const services = new Map<string, ServiceState>();
  const parts = new Map<string, PartState>();
  const emitter = new EventEmitter().setMaxListeners(0);
  const publish = (type: string, data: unknown): void => {
    emitter.emit("event", { type, at: clock().toISOString(), data } satisfies LiveEvent);
  };
  return {
    services: () => [...services.values()],
    parts: () => [...parts.values()],
    publish,
    subscribe: (signal) => subscription(emitter, signal),
    setService(state) {
      services.set(state.name, state);
      publish("service", state);
    },
    setPart: (state) => void parts.set(state.name, state),
  };
}

async function* subscription(emitter: EventEmitter, signal: AbortSignal): AsyncIterable<LiveEvent> {
  try {
    for await (const [event] of on(emitter, "event", { signal, highWaterMark: 1000 }) as AsyncIterable<[LiveEvent]>)
      yield event;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
