import {
  ERROR_CODES,
  REJECT_REASONS,
  verdictOfCode,
  verdictOfReject,
} from '@kaccy/bitcoin/adapters/bitcoind'
import { type CaseRecord, differs, isTable, jsonShape, runShapes, type Verdict } from '../cases.ts'

export const topic = 'core-rpc'

/** The few words that a reviewer can read in the table; anything else is no verdict. */
const VERDICTS: readonly string[] = ['done', 'retry_same', 'replace', 'never', 'ask_human']

interface Code {
  readonly name: string
  /** A number, or the name of the row that this one is an alias of. */
  readonly code: number | string
}
function checkCode({ name, code }: Code, rows: readonly Code[]): Verdict {
  const table: Readonly<Record<string, readonly [number, string]>> = ERROR_CODES
  const entry = table[name]
  if (!entry) return 'has no entry in our table'
  const number = typeof code === 'number' ? code : rows.find((row) => row.name === code)?.code
  if (typeof number !== 'number') return `is an alias of ${String(code)}, which is not there`
  const verdict = verdictOfCode(number, '')
  if (!VERDICTS.includes(verdict)) return `${verdict} is no verdict`
  return differs({ number: [entry[0], number], verdict: [verdict, entry[1]] })
}
const codes = jsonShape<readonly Code[]>(
  (data) => isTable(data, 'name', 'code'),
  function* (rows) {
    for (const row of rows) yield [row.name, () => checkCode(row, rows)]
  },
)

interface Reject {
  readonly result: string
  readonly reason: string
}
function checkReject({ reason }: Reject): Verdict {
  const table: Readonly<Record<string, string>> = REJECT_REASONS
  const verdict = table[reason]
  if (verdict === undefined) return 'has no entry in our table'
  if (!VERDICTS.includes(verdict)) return `${verdict} is no verdict`
  return differs({
    alone: [verdictOfReject(reason), verdict],
    'with details': [verdictOfReject(`${reason}, input 0 of a transaction`), verdict],
    'behind -25': [verdictOfCode(-25, reason), verdict],
    'behind -26': [verdictOfCode(-26, reason), verdict],
  })
}
const rejects = jsonShape<readonly Reject[]>(
  (data) => isTable(data, 'result', 'reason'),
  function* (rows) {
    for (const row of rows) yield [`${row.result} ${row.reason}`, () => checkReject(row)]
  },
)

export const run = (dir: string): AsyncGenerator<CaseRecord> => runShapes(dir, [codes, rejects])
