// Near-duplicate groups in a thread of their own: tens of seconds of work that must not hold up a verdict.
import { nearDuplicateGroups } from "@mlsec/engine";
import { parentPort, workerData } from "node:worker_threads";

parentPort?.postMessage(nearDuplicateGroups(workerData as string[]));
