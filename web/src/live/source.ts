// The parts of a study that is served: fetched, and fetched again when the server says they changed.

import { partNames, type PartName } from "../data";

export type Connection = "connecting" | "live" | "lost";

export interface Listener {
  /** Newer parts, together as they came. */
  parts: (parts: Map<PartName, unknown>) => void;
  connection: (state: Connection) => void;
}

const firstWait = 500;
const longestWait = 8_000;
/** Without a word from the server for this long the connection is made anew. */
const reconnectMilliseconds = 3_000;

export class LiveSource {
  private readonly wanted = new Map<PartName, number>();
  private readonly held = new Map<PartName, number>();
  private events: EventSource | null = null;
  private fetching = false;
  private wait = firstWait;

  constructor(private readonly listener: Listener) {
    this.connect();
  }

  private connect(): void {
    this.events?.close();
    const events = new EventSource("events");
    this.events = events;
    events.addEventListener("open", () => this.listener.connection("live"));
    events.addEventListener("message", (event) => this.hear(String(event.data)));
    events.addEventListener("error", () => {
      this.listener.connection("lost");
      // The browser tries again by itself, but not after an answer that was no stream of events.
      if (events.readyState === EventSource.CLOSED) {
        window.setTimeout(() => this.connect(), reconnectMilliseconds);
      }
    });
  }

  private hear(text: string): void {
    this.listener.connection("live");
    let versions: Record<string, unknown>;
    try {
      versions = JSON.parse(text) as Record<string, unknown>;
    } catch {
      return; // the next message says the same again
    }
    for (const name of partNames) {
      const version = versions[name];
      if (typeof version === "number") this.wanted.set(name, version);
    }
    void this.fetchChanged();
  }

  /** What the page lacks, all of it at once; what fails is tried again, ever more slowly. */
  private async fetchChanged(): Promise<void> {
    if (this.fetching) return;
    this.fetching = true;
    const lacking = partNames.filter((name) => {
      const wanted = this.wanted.get(name);
      return wanted !== undefined && wanted !== this.held.get(name);
    });
    const found = new Map<PartName, unknown>();
    const results = await Promise.allSettled(lacking.map((name) => this.fetchPart(name, found)));
    this.fetching = false;
    if (found.size > 0) this.listener.parts(found);
    if (results.some((one) => one.status === "rejected")) {
      window.setTimeout(() => void this.fetchChanged(), this.wait);
      this.wait = Math.min(longestWait, 2 * this.wait);
      return;
    }
    this.wait = firstWait;
    const newer = lacking.some((name) => this.wanted.get(name) !== this.held.get(name));
    if (newer) void this.fetchChanged();
  }

  /** A part is held at the version that was wanted: had it grown meanwhile, the next event says so. */
  private async fetchPart(name: PartName, found: Map<PartName, unknown>): Promise<void> {
    const wanted = this.wanted.get(name) ?? 0;
    const answer = await fetch(`data/${name}`, { cache: "no-store" });
    if (!answer.ok) throw new Error(`data/${name}: ${answer.status}`);
    found.set(name, await answer.json());
    this.held.set(name, wanted);
  }
}
