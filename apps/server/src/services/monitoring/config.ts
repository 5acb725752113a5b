// Settings of the dashboard.
import * as z from "zod";
import { defineSlice } from "../../platform/config/slice.ts";

export const monitoringSlice = defineSlice({
  MLSEC_DASHBOARD_DIR: z.string().optional().describe("Folder of the built dashboard. Unset: apps/dashboard/dist."),
});
