/**
 * Sums are kept by minute, hour and day (UTC) beside the entries themselves. A window that is open towards now is at most
 * 59 minutes, 23 hours and its days, and the entries of one broken minute at its beginning: exact to the millisecond, and
 * as cheap after a million requests as after ten.
 */
export const LEVELS = [60_000, 3_600_000, 86_400_000] as const
export type Level = (typeof LEVELS)[number]

export const bucketStart = (level: Level, at: number): number => Math.floor(at / level) * level

/** Where each grain takes over for a window from `from` on: entries up to `minute`, minutes up to `hour`, hours up to `day`. */
export function edgesOf(from: number) {
  const up = (level: Level) => Math.ceil(from / level) * level
  return { from, minute: up(60_000), hour: up(3_600_000), day: up(86_400_000) }
}
