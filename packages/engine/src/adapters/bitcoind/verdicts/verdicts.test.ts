import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ERROR_CODES,
  REJECT_REASONS,
  type Verdict,
  verdictOfCode,
  verdictOfReject,
} from './index.ts'

const FOLDER = join(process.env['KACCY_SHARED'] ?? '../shared', 'vectors/core-rpc')
const reason = existsSync(FOLDER) ? undefined : `no vectors in ${FOLDER}`
if (reason) process.stderr.write(`SKIPPED: ${reason}\n`)
const read = <T>(file: string): readonly T[] =>
  reason ? [] : (JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as T[])

const codes = read<{ name: string; code: number | string }>('error_codes.json')
const rejects = read<{ result: string; reason: string }>('reject_reasons.json')
const VERDICTS = ['done', 'retry_same', 'replace', 'never', 'ask_human']

describe.skipIf(reason)('every code and reason of the vectors has a verdict', () => {
  it('all 43 rows of error codes', () => {
    expect(codes).toHaveLength(43)
    const rows: Readonly<Record<string, readonly [number, Verdict]>> = ERROR_CODES
    for (const { name, code } of codes) {
      const row = rows[name]
      expect(row, name).toBeDefined()
      expect(row?.[0], name).toBe(typeof code === 'number' ? code : rows[code]?.[0])
      expect(VERDICTS).toContain(row?.[1])
    }
    expect(Object.keys(rows).sort()).toEqual(codes.map(({ name }) => name).sort())
  })

  it('all 45 rows of reject reasons', () => {
    expect(rejects).toHaveLength(45)
    const rows: Readonly<Record<string, Verdict>> = REJECT_REASONS
    for (const { reason: text } of rejects) expect(rows[text], text).toBeDefined()
  })

  it('only a consensus fault is final', () => {
    for (const { result, reason: text } of rejects) {
      expect(verdictOfReject(text) === 'never', text).toBe(result === 'TX_CONSENSUS')
    }
  })

  it('only a conflict with itself is success', () => {
    for (const { result, reason: text } of rejects) {
      if (verdictOfReject(text) === 'done') expect(result).toBe('TX_CONFLICT')
    }
  })
})

describe('verdicts of texts', () => {
  it.each([
    ['dust, tx with dust output must be 0-fee', 'replace'],
    ['insufficient fee, rejecting replacement ab; new feerate 1 <= old feerate 2', 'replace'],
    ['min relay fee not met, 0 < 188', 'replace'],
    ['too-long-mempool-chain, too many unconfirmed ancestors [limit: 25]', 'retry_same'],
    ['mandatory-script-verify-flag-failed (Witness program hash mismatch)', 'never'],
    ['mandatory-script-verify-flag-failed (x), input 0 of ab (wtxid cd), spending ef:0', 'never'],
    ['non-mandatory-script-verify-flag (Witness requires empty scriptSig)', 'ask_human'],
    ['replacement-adds-unconfirmed, replacement ab adds unconfirmed input, idx 0', 'replace'],
    ['too many potential replacements, rejecting replacement ab', 'retry_same'],
    ['max-fee-exceeded', 'ask_human'],
    ['Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)', 'ask_human'],
    ['bad-txns-inputs-missingorspent', 'retry_same'],
    ['TRUC-violation, version=3 tx ab (wtxid=cd) cannot spend', 'replace'],
    ['', 'ask_human'],
    ['a reason of next year', 'ask_human'],
    // Words alone prove nothing: they must stand where the node writes them.
    ['please note that dust is allowed', 'ask_human'],
    ['transaction already exists maybe', 'ask_human'],
  ])('%s: %s', (text, verdict) => expect(verdictOfReject(text)).toBe(verdict))

  it.each([
    [`TX rejected: already have transaction in mempool ${'ab'.repeat(32)}`, 'done'],
    ['TX rejected: transaction already exists in blockchain', 'done'],
    [
      `TX rejected: orphan transaction ${'ab'.repeat(32)} references outputs of unknown`,
      'retry_same',
    ],
    [
      `TX rejected: replacement transaction ${'ab'.repeat(32)} has an insufficient fee rate`,
      'replace',
    ],
    ['TX rejected: something new', 'ask_human'],
  ])('btcd: %s: %s', (text, verdict) => expect(verdictOfReject(text)).toBe(verdict))

  it('the number decides except for -25 and -26', () => {
    expect(verdictOfCode(-27, 'anything')).toBe('done')
    expect(verdictOfCode(-22, 'TX decode failed')).toBe('never')
    expect(verdictOfCode(-25, 'bad-txns-inputs-missingorspent')).toBe('retry_same')
    expect(verdictOfCode(-26, 'txn-mempool-conflict')).toBe('ask_human')
    expect(verdictOfCode(-26, 'txn-already-known')).toBe('done')
    expect(verdictOfCode(-4, 'txn-already-known')).toBe('ask_human')
    expect(verdictOfCode(-99_999, 'dust')).toBe('ask_human')
  })

  it('an unknown text is never success and never final', () => {
    const known = new Set(Object.keys(REJECT_REASONS).map((text) => text.toLowerCase()))
    fc.assert(
      fc.property(fc.string(), (text) => {
        const head = (text.split(/[,(:]/)[0] ?? '').trim().toLowerCase()
        fc.pre(!known.has(head))
        expect(verdictOfReject(text)).toBe('ask_human')
      }),
    )
  })
})
