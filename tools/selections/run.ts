/**
 * Random choices of coins, each checked by counting again and, for small pools, against every subset.
 * `npm run selections -- [--count N] [--seed N] [--json]`. Exit 1 when one is wrong; its seed makes it again.
 */
import { dustThreshold } from '@kaccy/bitcoin/protocol/amounts'
import { type SelectionRefusal, selectCoins } from '@kaccy/bitcoin/protocol/coins'
import { readOptions } from '../options.ts'
import { type Case, caseOf } from './case.ts'
import { faultsOf } from './check.ts'
import { exhaust } from './exhaustive.ts'

export interface SelectionsReport {
  readonly seed: number
  readonly count: number
  readonly faults: readonly string[]
  /** How often each algorithm was the answer, and each code. */
  readonly answers: Readonly<Record<string, number>>
  /** Small pools in which some set does without change; each was found or beaten. */
  readonly changeless: number
  /** Small pools in which every set was tried. */
  readonly exhausted: number
}

/** Runs the cases `seed` to `seed + count - 1`. */
export function runSelections(seed: number, count: number): SelectionsReport {
  const faults: string[] = []
  const answers: Record<string, number> = {}
  let changeless = 0
  let exhausted = 0
  for (let i = 0; i < count; i++) {
    const one = caseOf(seed + i)
    const say = (text: string) => faults.push(`case ${seed + i}: ${text}`)
    try {
      const answer = selectCoins(one.request)
      const name = answer.ok ? answer.value.algorithm : answer.error.code
      answers[name] = (answers[name] ?? 0) + 1
      if (answer.ok) for (const fault of faultsOf(one, answer.value)) say(fault)
      const isBad = !answer.ok && !isAboutCoins(one, answer.error)
      const all = isBad ? undefined : exhaust(one)
      if (!all) continue
      exhausted++
      if (all.changeless !== undefined) changeless++
      if (!answer.ok && all.isPossible) say(`refused by ${name} although a set would do`)
      if (answer.ok && !all.isPossible) say(`${name} found a set that does not exist`)
      if (answer.ok && answer.value.algorithm !== 'required_only') {
        const { waste } = answer.value
        if (all.changeless !== undefined && waste > all.changeless) {
          say(`waste ${waste} by ${name}, although ${all.changeless} needs no change`)
        }
      }
    } catch (error) {
      say(String(error))
    }
  }
  return { seed, count, faults, answers, changeless, exhausted }
}

/** False for what is refused before coins are looked at. */
function isAboutCoins({ request }: Case, { code, details }: SelectionRefusal): boolean {
  if (code === 'FEE_BELOW_MINIMUM') return false
  if (code === 'FEE_CEILING_EXCEEDED') return 'fee_sat' in details
  if (code !== 'AMOUNT_IS_DUST') return true
  return request.payments.every(({ amount, script }) => amount >= dustThreshold(script))
}

function main(): void {
  const values = readOptions({
    seed: { type: 'string' },
    count: { type: 'string', default: '5000' },
    json: { type: 'boolean', default: false },
  })
  // A new seed for each run, printed: what a zero proves is counted over all runs.
  const seed =
    values.seed === undefined ? Math.floor(Date.now() / 1000) % 1_000_000_000 : Number(values.seed)
  const count = Number(values.count)
  if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(count) || count < 1) {
    process.stderr.write('--seed and --count take whole numbers\n')
    process.exitCode = 2
    return
  }
  const report = runSelections(seed, count)
  for (const fault of report.faults) process.stderr.write(`${fault}\n`)
  if (values.json)
    process.stdout.write(`${JSON.stringify({ ...report, passed: report.faults.length === 0 })}\n`)
  else {
    const answers = Object.entries(report.answers).map(([name, times]) => `${name} ${times}`)
    process.stdout.write(
      `${count} selections from seed ${seed}, ${report.exhausted} pools tried whole, ${report.changeless} of them with a changeless set, ${report.faults.length} failed\n${answers.join(', ')}\n`,
    )
  }
  process.exitCode = report.faults.length === 0 ? 0 : 1
}

if (import.meta.main) main()
