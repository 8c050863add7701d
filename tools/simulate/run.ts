import { readOptions } from '../options.ts'
import { Simulation, type SimulationReport } from './simulation.ts'

/** Steps of one schedule. */
const STEPS = 200

/** Runs schedules `seed`, `seed + 1`, … and stops at none: every failing seed is worth knowing. */
export async function simulate(
  seed: number,
  schedules: number,
  onReport: (report: SimulationReport) => void,
): Promise<readonly number[]> {
  const failed: number[] = []
  for (let i = 0; i < schedules; i++) {
    const report = await new Simulation({ seed: seed + i, steps: STEPS }).run()
    onReport(report)
    if (report.broken.length > 0) failed.push(report.seed)
  }
  return failed
}

async function main(): Promise<void> {
  const values = readOptions({
    seed: { type: 'string' },
    schedules: { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
  })
  // A new seed for each run, printed: what a zero proves is counted over all runs.
  const seed =
    values.seed === undefined ? Math.floor(Date.now() / 1000) % 1_000_000_000 : Number(values.seed)
  const schedules = Number(values.schedules)
  if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(schedules) || schedules < 1) {
    process.stderr.write('--seed and --schedules take whole numbers\n')
    process.exitCode = 2
    return
  }
  let faults = 0
  let credited = 0n
  let reversals = 0
  const failed = await simulate(seed, schedules, (report) => {
    faults += Object.values(report.faults).reduce((sum, count) => sum + count, 0)
    credited += report.credited
    reversals += report.reversals
    if (values.json) {
      const line = {
        ...report,
        credited: Number(report.credited),
        passed: report.broken.length === 0,
      }
      process.stdout.write(`${JSON.stringify(line)}\n`)
    } else for (const text of report.broken) process.stdout.write(`seed ${report.seed}: ${text}\n`)
  })
  if (!values.json)
    process.stdout.write(
      `${schedules} schedules from seed ${seed}, ${faults} faults, ${credited} sat credited, ${reversals} reversals, ${failed.length} failed${failed.length === 0 ? '' : `: seeds ${failed.join(' ')}`}\n`,
    )
  process.exitCode = failed.length === 0 ? 0 : 1
}

if (import.meta.main) await main()
