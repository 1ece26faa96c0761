// What rows and columns of a circuit are, and what an entry says.

export function wordsOf(circuit: { kind: string }): { row: string; column: string; entry: string } {
  return circuit.kind === "ov" || circuit.kind === "v_composition"
    ? { row: "token attended to", column: "token predicted", entry: "logit" }
    : { row: "query token", column: "key token", entry: "score" };
}
