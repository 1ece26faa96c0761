// Tokens along a track: logarithmic, and before it a place for the model that was never trained.

const zeroShare = 0.05;

/** Where a token count stands, from 0 to 1. `checkpoints`: ascending, at least one. */
export function shareOf(tokens: number, checkpoints: number[]): number {
  const last = checkpoints[checkpoints.length - 1] ?? 0;
  const first = checkpoints.find((one) => one > 0) ?? 0;
  if (!(last > 0)) return 1;
  const from = checkpoints[0] === 0 ? zeroShare : 0;
  if (tokens <= 0) return 0;
  if (!(last > first)) return 1;
  const along = Math.log(tokens / first) / Math.log(last / first);
  return Math.min(1, Math.max(0, from + (1 - from) * along));
}

/** The token counts that are named below the track: 0 and the powers of ten. */
export function decadesOf(checkpoints: number[]): number[] {
  const last = checkpoints[checkpoints.length - 1] ?? 0;
  const first = checkpoints.find((one) => one > 0) ?? 0;
  const named = checkpoints[0] === 0 ? [0] : [];
  if (!(first > 0)) return named;
  for (let power = 10 ** Math.ceil(Math.log10(first)); power <= last; power *= 10) {
    if (shareOf(power, checkpoints) > zeroShare + 0.04) named.push(power);
  }
  return named;
}
