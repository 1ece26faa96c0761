// The program itself, for tests of pages that it makes or serves. LOOKBACK_PROGRAM is its path as it
// was built; without it they are left out.
import { spawn } from "node:child_process";
import { after } from "node:test";
import { skip as noBrowser } from "./opened.mjs";

const program = process.env.LOOKBACK_PROGRAM;
export const skip = noBrowser || (program ? false : "LOOKBACK_PROGRAM is not set");

const started = [];
after(() => {
  for (const child of started) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
});

/** A study file of two small arms, which train on so many tokens each; `more` is appended. */
export function smallStudy(tokens, more = "") {
  return `name = "small"
question = "Does it go on?"
seeds = 1
[model]
vocabulary = 32
context = 64
d_model = 32
d_head = 16
[data]
period = [4, 16]
[evaluate]
sequences = 8
probes = ["repeated-blocks"]
[train]
tokens = "${tokens}"
batch = 16
shards = 4
resume_seconds = 0
[[arm]]
name = "two-layer"
[arm.model]
layers = 2
[[arm]]
name = "sequential"
[arm.model]
steps = 2
${more}`;
}

export function start(...words) {
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] });
  started.push(child);
  child.said = "";
  child.printed = "";
  child.stdout.on("data", (text) => (child.printed += text));
  child.stderr.on("data", (text) => (child.said += text));
  child.ended = new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal })));
  return child;
}

/** The address that a server prints once it listens. */
export async function addressOf(server) {
  for (let tries = 0; tries < 600; ++tries) {
    const found = server.printed.match(/http:\/\/\S+/);
    if (found) return found[0];
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no address: ${server.printed} ${server.said}`);
}
