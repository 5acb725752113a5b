/** One row per service: its port, title, address setting and contract. Everything that lists services derives from it. */
import { analytics } from "./analytics.ts";
import { mlflow } from "./mlflow.ts";
import { modelApi } from "./model-api.ts";
import { redTeam } from "./red-team.ts";
import type { Contract } from "./route.ts";
import { businessMetrics, dataPrivacy, modelCache, modelServing, monitoring } from "./small-services.ts";
import { training } from "./training.ts";

/** What is known about a service before it runs. */
export interface ServiceInfo {
  readonly title: string;
  readonly port: number;
  /** Environment variable that holds its address when it runs elsewhere. */
  readonly addressEnv: string;
  readonly summary: string;
  readonly contract: Contract;
}

/** All services, in the order the start table shows them. `object-storage` speaks S3, so its contract is empty. */
export const services = {
  "model-api": { title: "Model API", port: 8000, addressEnv: "MODEL_API_URL", summary: "verdicts", contract: modelApi },
  "red-team": {
    title: "Red Team",
    port: 8001,
    addressEnv: "RED_TEAM_API_URL",
    summary: "attacks on detectors",
    contract: redTeam,
  },
  training: {
    title: "Training",
    port: 8002,
    addressEnv: "TRAINING_API_URL",
    summary: "training jobs and data sets",
    contract: training,
  },
  analytics: {
    title: "Analytics",
    port: 8003,
    addressEnv: "ANALYTICS_API_URL",
    summary: "results, trends, health",
    contract: analytics,
  },
  "business-metrics": {
    title: "Business Metrics",
    port: 8004,
    addressEnv: "BUSINESS_METRICS_API_URL",
    summary: "key figures",
    contract: businessMetrics,
  },
  "data-privacy": {
    title: "Data Privacy",
    port: 8005,
    addressEnv: "DATA_PRIVACY_API_URL",
    summary: "personal data found and redacted",
    contract: dataPrivacy,
  },
  "model-cache": {
    title: "Model Cache",
    port: 8006,
    addressEnv: "MODEL_CACHE_API_URL",
    summary: "loaded models, cached verdicts",
    contract: modelCache,
  },
  "model-serving": {
    title: "Model Serving",
    port: 8080,
    addressEnv: "MODEL_SERVING_API_URL",
    summary: "Open Inference Protocol v2",
    contract: modelServing,
  },
  mlflow: {
    title: "MLflow",
    port: 5000,
    addressEnv: "MLFLOW_TRACKING_URI",
    summary: "runs and registered models",
    contract: mlflow,
  },
  monitoring: {
    title: "Dashboard",
    port: 8501,
    addressEnv: "MONITORING_API_URL",
    summary: "open this in a browser",
    contract: monitoring,
  },
  "object-storage": {
    title: "Object storage",
    port: 9000,
    addressEnv: "MINIO_ENDPOINT",
    summary: "S3 API",
    contract: {},
  },
} as const satisfies Record<string, ServiceInfo>;
export type ServiceName = keyof typeof services;
export const serviceNames = Object.keys(services) as readonly ServiceName[];
