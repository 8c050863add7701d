/** One figure of the benchmark, beside what it is measured against. */
export interface BenchLine {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What was measured in the same run, by name. */
  readonly baseline: string
  readonly baselineValue: number
  /** How many times better than the baseline, whatever the unit: above 1 is better. */
  readonly ratio: number
}
export type Report = (line: BenchLine) => void

export interface BenchOptions {
  /** How long what has to last lasts; without it each module decides. */
  readonly minutes?: number
}

/** A module of the benchmark, found by its folder. */
export interface BenchModule {
  readonly name: string
  run(report: Report, options: BenchOptions): Promise<void>
}

/** Does some work and answers how many units it was. */
export type Work = () => number | Promise<number>

export interface Rounds {
  readonly rounds?: number
  /** Least time of one contender in one round. */
  readonly milliseconds?: number
}

/**
 * Units a second of each contender, the best of its rounds. The contenders take turns, so that a busy machine slows
 * all of them: only the ratio of figures from one run means something.
 */
export async function rates<Name extends string>(
  contenders: Readonly<Record<Name, Work>>,
  { rounds = 5, milliseconds = 300 }: Rounds = {},
): Promise<Record<Name, number>> {
  const names = Object.keys(contenders) as Name[]
  const best = Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>
  for (const name of names) await contenders[name]()
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const work = contenders[name]
      let units = 0
      const start = performance.now()
      let elapsed = 0
      do {
        units += await work()
        elapsed = performance.now() - start
      } while (elapsed < milliseconds)
      best[name] = Math.max(best[name], (units / elapsed) * 1000)
    }
  }
  return best
}

/** A line in units a second: more is better. */
export const rateLine = (
  name: string,
  unit: string,
  value: number,
  baseline: string,
  baselineValue: number,
): BenchLine => ({ name, value, unit, baseline, baselineValue, ratio: value / baselineValue })

/** A line in time, memory or another cost: less is better. */
export const costLine = (
  name: string,
  unit: string,
  value: number,
  baseline: string,
  baselineValue: number,
): BenchLine => ({ name, value, unit, baseline, baselineValue, ratio: baselineValue / value })
