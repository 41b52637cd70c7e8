// The live stream: one EventSource, watched. Silence counts as loss.

const SILENCE_MS = 8_000; // the service says something every 3 s
const RETRY_MS = 2_000;

export class Stream {
  constructor(handlers) {
    this.handlers = handlers;
    this.source = null;
    this.lastHeard = performance.now();
    this.link = "connecting";
    this.deploymentId = null;
  }

  start() {
    this.open();
    setInterval(() => this.watch(), 500);
  }

  open() {
    this.source?.close();
    // A new connection by us starts with a snapshot; one that the browser restores resumes after its last event.
    const query = this.deploymentId ? `?deployment=${encodeURIComponent(this.deploymentId)}` : "";
    const source = new EventSource(`/api/v1/events${query}`);
    this.source = source;
    this.openedAt = performance.now();
    for (const name of ["snapshot", "tick", "pulse", "stale"]) {
      source.addEventListener(name, (event) => this.hear(name, JSON.parse(event.data)));
    }
    source.onerror = () => this.set("lost");
  }

  hear(name, body) {
    this.lastHeard = performance.now();
    if (name === "snapshot") this.deploymentId = body.deployment_id;
    this.set(name === "stale" ? "stale" : "live");
    this.handlers[name === "stale" ? "pulse" : name](body);
  }

  watch() {
    const silent = performance.now() - this.lastHeard;
    if (silent > SILENCE_MS) this.set("lost");
    // After a refusal (a status other than 200) the browser gives up; and a half-open connection never ends.
    const closed = this.source.readyState === EventSource.CLOSED;
    const opened = performance.now() - this.openedAt;
    if ((closed && opened > RETRY_MS) || (silent > SILENCE_MS && opened > SILENCE_MS)) this.open();
  }

  set(link) {
    if (this.link === link) return;
    this.link = link;
    this.handlers.link(link);
  }
}
