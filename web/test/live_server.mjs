// A server of a study's page while it trains, as `lookback serve` is one: the page, its parts with
// versions, and events that tell of new versions. It can also refuse, and go away.
import { createServer } from "node:http";
import { filledPage } from "./fixture.mjs";

const partNames = ["study", "attention", "lens", "frames"];

export class LiveServer {
  #template;
  #parts = new Map();
  #lastVersion = 0;
  #streams = new Set();
  #server = null;
  #port = 0;
  /** How often each part was fetched; a part that is in `refused` answers 503 so many times. */
  fetched = {};
  refused = {};

  constructor(template) {
    this.#template = template;
  }

  get url() {
    return `http://127.0.0.1:${this.#port}/`;
  }

  async start() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    await new Promise((resolve) => this.#server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = this.#server.address().port;
  }

  /** Ends every connection; `start` begins again on the same port. */
  async stop() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    this.#streams.clear();
  }

  /** As another server would begin, with versions above `lastVersion`. */
  forget(lastVersion) {
    this.#parts.clear();
    this.#lastVersion = lastVersion;
  }

  /** Takes a study as the page holds one, in parts; those that changed get a new version. */
  set(study) {
    const { attention, lens, frames, ...rest } = study;
    for (const [name, part] of Object.entries({ study: rest, attention, lens, frames })) {
      if (part === undefined) continue;
      const text = JSON.stringify(part);
      const old = this.#parts.get(name);
      if (old?.text !== text) this.#parts.set(name, { text, version: (old?.version ?? this.#lastVersion) + 1 });
    }
    for (const stream of this.#streams) this.#tell(stream);
  }

  #tell(stream) {
    const versions = Object.fromEntries([...this.#parts].map(([name, { version }]) => [name, version]));
    stream.write(`data: ${JSON.stringify(versions)}\n\n`);
  }

  async #answer(request, response) {
    if (request.url === "/") {
      response.setHeader("content-type", "text/html; charset=utf-8");
      return response.end(await filledPage(this.#template, { live: true }));
    }
    if (request.url === "/events") {
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      response.write("retry: 200\n\n");
      this.#streams.add(response);
      response.on("close", () => this.#streams.delete(response));
      return this.#tell(response);
    }
    const name = request.url.replace("/data/", "");
    if (!partNames.includes(name)) return response.writeHead(404).end();
    this.fetched[name] = (this.fetched[name] ?? 0) + 1;
    if ((this.refused[name] ?? 0) > 0) {
      --this.refused[name];
      return response.writeHead(503).end();
    }
    const part = this.#parts.get(name);
    if (!part) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": "application/json", etag: `"${part.version}"` });
    return response.end(part.text);
  }
}
