import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { CaseRecord } from './cases.ts'
import { run } from './topics/core-consensus.ts'

/** What comes of the rows of a file of that name. */
async function outcomes(name: string, rows: readonly unknown[]): Promise<string[]> {
  const dir = mkdtempSync(join(tmpdir(), 'vectors-'))
  writeFileSync(join(dir, name), JSON.stringify(rows))
  const records: CaseRecord[] = []
  for await (const record of run(dir)) records.push(record)
  return records.map((record) =>
    record.outcome === 'passed' ? 'passed' : `${record.outcome}: ${record.reason}`,
  )
}
const tapscript = (witness: readonly string[], error: string, flags = 'P2SH,WITNESS,TAPROOT') => [
  [...witness, '#CONTROLBLOCK#', 1e-8],
  '',
  '0x51 0x20 #TAPROOTOUTPUT#',
  flags,
  error,
]

describe("rows of Core's script tests", () => {
  it('fill in the placeholders of a tapscript', async () => {
    const rows = [
      ['a comment'],
      tapscript(['abcdef', '#SCRIPT# 1 IF SHA256 ENDIF SIZE SWAP DROP 32 EQUAL'], 'OK'),
      tapscript(['abcdef', '#SCRIPT# 0 IF SHA256 ENDIF SIZE SWAP DROP 32 EQUAL'], 'EVAL_FALSE'),
      tapscript(['aa', 'bb', 'cc', '#SCRIPT# EQUAL IF DROP DROP ENDIF'], 'OK'),
      tapscript(['aa', '#SCRIPT# 0 CHECKSIG'], 'TAPSCRIPT_EMPTY_PUBKEY'),
      tapscript(['aa', '#SCRIPT# 0 CHECKSIG'], 'PUBKEYTYPE'),
      tapscript(['02', '#SCRIPT# IF 1 ENDIF'], 'TAPSCRIPT_MINIMALIF'),
      tapscript(['#SCRIPT# CAT'], 'OK'),
      tapscript(
        ['#SCRIPT# CAT'],
        'DISCOURAGE_OP_SUCCESS',
        'P2SH,WITNESS,TAPROOT,DISCOURAGE_OP_SUCCESS',
      ),
    ]
    expect(await outcomes('script_tests.json', rows)).toEqual(Array(8).fill('passed'))
  })

  it('fail when another error comes, and when a word is not understood', async () => {
    const rows = [
      ['1', 'NOP', 'P2SH,STRICTENC', 'EVAL_FALSE'],
      ['1', 'NOTHING', 'P2SH', 'OK'],
      ['1', 'NOP', 'P2SH,STRICT', 'OK'],
      ['1', 'CHECKTEMPLATEVERIFY', 'P2SH', 'OK'],
      ['1', 'OP_CHECKTEMPLATEVERIFY', 'DISCOURAGE_UPGRADABLE_NOPS', 'DISCOURAGE_UPGRADABLE_NOPS'],
    ]
    expect(await outcomes('script_tests.json', rows)).toEqual([
      'failed: error: OK instead of EVAL_FALSE',
      'failed: threw TypeError: the script NOTHING is not understood',
      'failed: threw TypeError: the flags P2SH,STRICT is not understood',
      'passed',
      'passed',
    ])
  })
})

/** Spends an output that asks for `script`, with nothing. */
const transactionRow = (script: string, flags: string) => {
  const txid = '11'.repeat(32)
  const output = 'e8030000000000000151'
  const raw = `0100000001${txid}0000000000ffffffff01${output}00000000`
  return [[[txid, 0, script]], raw, flags]
}

describe("rows of Core's transaction tests", () => {
  it('are judged by the name of their file', async () => {
    const row = transactionRow('CHECKLOCKTIMEVERIFY 1', 'CHECKLOCKTIMEVERIFY,CLEANSTACK')
    expect(await outcomes('tx_valid.json', [row])).toEqual([
      'failed: a flag is excluded without need',
    ])
    expect(await outcomes('tx_invalid.json', [transactionRow('0', 'NONE')])).toEqual(['passed'])
    expect(await outcomes('tx_invalid.json', [transactionRow('1', 'NONE')])).toEqual([
      'failed: was taken, has to be refused',
    ])
    expect(await outcomes('tx_invalid.json', [transactionRow('0', 'P2SH')])).toEqual([
      'failed: refused without the flags that are said to refuse it',
    ])
    expect(await outcomes('tx_valid.json', [transactionRow('1', 'NONE')])).toEqual(['passed'])
    expect(await outcomes('tx_valid.json', [transactionRow('0', 'NONE')])).toEqual([
      'failed: error: EVAL_FALSE instead of OK',
    ])
  })
})
