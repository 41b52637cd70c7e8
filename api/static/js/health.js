// How long the chain from sensor to judgement takes, by the canary's newest reading.

import { state } from "./state.js";

const EVERY_MS = 10_000;

export function followHealth(changed) {
  const look = async () => {
    const health = await (await fetch("/api/v1/health")).json();
    state.chainS = health.checks.canary?.ok ? health.canary_latency_s : null; // late: its alarm says so
    changed();
  };
  const keepLooking = () =>
    look()
      .catch(() => {
        state.chainS = null; // the stream says that the connection is lost
      })
      .finally(() => setTimeout(keepLooking, EVERY_MS));
  keepLooking();
}
