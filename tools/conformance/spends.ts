/**
 * Cases of Core's script tests, run by the devnet's interpreter. What Core's own test programs check beyond the expected
 * result is checked here too: fewer flags never refuse what was valid, more flags never take what was refused, and the
 * flags of a transaction row are exactly those that matter.
 */
import { fromHex, type Sat } from '@kaccy/bitcoin/kernel'
import { encodeTransaction, txidOf } from '@kaccy/bitcoin/protocol/transaction'
import {
  ALL_FLAGS,
  assembleScript,
  encodeControlBlock,
  FLAG_NAMES,
  flagsOf,
  LEAF_TAPSCRIPT,
  parseFlags,
  pushData,
  type ScriptFlags,
  type TransactionOutput,
  tapLeafHash,
  taprootOutputKey,
  verifyInput,
  withFlags,
  withImplied,
  withoutFlags,
} from '@kaccy/devnet/script'
import { differs, type Verdict } from './cases.ts'

/** Names that later versions of Core, and Bitcoin Inquisition, gave to what Core 28 calls otherwise. */
const LATER_ERRORS: Readonly<Record<string, string>> = {
  TAPSCRIPT_EMPTY_PUBKEY: 'PUBKEYTYPE',
  SCRIPTNUM: 'UNKNOWN_ERROR',
}
const LATER_OPCODES: Readonly<Record<string, string>> = { CHECKTEMPLATEVERIFY: 'NOP4' }
/** Any key will do for an output that only its script spends: x of the generator. */
const INTERNAL_KEY = fromHex('79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')

function need<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new TypeError(`${what} is not understood`)
  return value
}
export function scriptOf(text: string): Uint8Array {
  const words = text.replace(/[A-Z]\w+/g, (word) => {
    const name = word.replace(/^OP_/, '')
    return Object.hasOwn(LATER_OPCODES, name) ? (LATER_OPCODES[name] ?? word) : word
  })
  return need(assembleScript(words), `the script ${text}`)
}
/** Satoshi of an amount in BTC as JSON has it. */
const satoshi = (amount: unknown): bigint => BigInt(Math.round(Number(amount) * 100_000_000))

const bitFlags = FLAG_NAMES.map((name) => flagsOf(name))
/** WITNESS means nothing without P2SH, and CLEANSTACK nothing without WITNESS. */
function trimmed(flags: ScriptFlags): ScriptFlags {
  const lacks = (name: 'P2SH' | 'WITNESS', from: ScriptFlags) => (from & flagsOf(name)) === 0
  const witness = lacks('P2SH', flags) ? withoutFlags(flags, flagsOf('WITNESS')) : flags
  return lacks('WITNESS', witness) ? withoutFlags(witness, flagsOf('CLEANSTACK')) : witness
}
/** `flags` with one less, in every way that is a set of its own. */
const eachLess = (flags: ScriptFlags): ScriptFlags[] =>
  bitFlags.map((bit) => trimmed(withoutFlags(flags, bit))).filter((fewer) => fewer !== flags)

type Run = (flags: ScriptFlags) => string
/** That the result stays the same when flags leave a valid spend or join a refused one. */
function checkSoftForks(run: Run, flags: ScriptFlags, expected: string): Verdict {
  const isValid = expected === 'OK'
  for (const bit of bitFlags) {
    const other = isValid ? trimmed(withoutFlags(flags, bit)) : withImplied(withFlags(flags, bit))
    if ((run(other) === 'OK') !== isValid) return `another verdict under the flags ${other}`
  }
  return undefined
}

/** `[[witness..., amount]?, scriptSig, scriptPubKey, flags, error, comment?]` */
export type ScriptRow = readonly (string | readonly (string | number)[])[]

interface Witness {
  readonly items: readonly Uint8Array[]
  readonly outputKey: Uint8Array | undefined
}
/** `#SCRIPT# words` stands for a script, `#CONTROLBLOCK#` for what spends the script before it as the only leaf. */
function readWitness(cells: readonly (string | number)[]): Witness {
  const items: Uint8Array[] = []
  let outputKey: Uint8Array | undefined
  for (const cell of cells.map(String)) {
    if (cell.startsWith('#SCRIPT#')) items.push(scriptOf(cell.slice('#SCRIPT#'.length)))
    else if (cell === '#CONTROLBLOCK#') {
      const leafHash = tapLeafHash(need(items.at(-1), 'a control block without a script'))
      const { key, isOdd } = need(taprootOutputKey(INTERNAL_KEY, leafHash), 'the output key')
      outputKey = key
      const leafVersion = LEAF_TAPSCRIPT
      items.push(encodeControlBlock({ leafVersion, isOdd, internalKey: INTERNAL_KEY, path: [] }))
    } else items.push(fromHex(cell))
  }
  return { items, outputKey }
}
const outputScriptOf = (text: string, outputKey: Uint8Array | undefined): Uint8Array =>
  text.includes('#TAPROOTOUTPUT#')
    ? Uint8Array.of(0x51, ...pushData(need(outputKey, 'an output without a control block')))
    : scriptOf(text)

const FINAL = 0xffffffff
/** The transaction that spends the only output of one which pays `coin`: the pair that signatures of the tests sign. */
function spendOf(
  coin: TransactionOutput,
  script: Uint8Array,
  witness: readonly Uint8Array[],
): Uint8Array {
  const amount = coin.value as Sat
  const credit = {
    version: 1,
    inputs: [
      {
        txid: '0'.repeat(64),
        vout: FINAL,
        script: Uint8Array.of(0, 0),
        sequence: FINAL,
        witness: [],
      },
    ],
    outputs: [{ amount, script: coin.script }],
    lockTime: 0,
  }
  const input = { txid: txidOf(credit as never), vout: 0, script, sequence: FINAL, witness }
  const outputs = [{ amount, script: new Uint8Array() }]
  return encodeTransaction({ version: 1, inputs: [input], outputs, lockTime: 0 })
}

/** One row of script_tests.json: the error's name has to be the expected one. */
export function checkScript(row: ScriptRow): Verdict {
  const [first] = row
  const cells = typeof first === 'string' ? [] : (first ?? [])
  const [scriptSig, scriptPubKey, flagText, error] = (cells.length ? row.slice(1) : row).map(String)
  const witness = readWitness(cells.slice(0, -1))
  const coin = {
    value: satoshi(cells.at(-1) ?? 0),
    script: outputScriptOf(need(scriptPubKey, 'the row'), witness.outputKey),
  }
  const transaction = spendOf(coin, scriptOf(need(scriptSig, 'the row')), witness.items)
  const run: Run = (flags) => {
    const verdict = verifyInput({ transaction, input: 0, spent: [coin], flags })
    return verdict.ok ? 'OK' : verdict.error
  }
  const flags = withImplied(need(parseFlags(flagText ?? ''), `the flags ${flagText}`))
  const expected = LATER_ERRORS[error ?? ''] ?? error ?? ''
  return differs({ error: [run(flags), expected] }) ?? checkSoftForks(run, flags, expected)
}

/** `[txid, vout, scriptPubKey, amount?]` */
type Prevout = readonly (string | number)[]

function runOf(raw: Uint8Array, keys: readonly string[], prevouts: readonly Prevout[]): Run {
  const coins = new Map(
    prevouts.map(([txid, vout, script, amount]) => [
      `${txid}:${Number(vout) >>> 0}`,
      { script: scriptOf(String(script)), value: BigInt(amount ?? 0) },
    ]),
  )
  const spent = keys.map((key) => need(coins.get(key), `the spent output ${key}`))
  return (flags) => {
    for (const input of spent.keys()) {
      const verdict = verifyInput({ transaction: raw, input, spent, flags })
      if (!verdict.ok) return verdict.error
    }
    return 'OK'
  }
}
export interface TransactionCase {
  readonly raw: Uint8Array
  /** `txid:vout` of each input. */
  readonly keys: readonly string[]
  readonly prevouts: readonly Prevout[]
  readonly flagText: string
}

/** Valid under every flag but those named, and under no set that leaves one of them in. */
export function checkValidSpend({ raw, keys, prevouts, flagText }: TransactionCase): Verdict {
  const run = runOf(raw, keys, prevouts)
  // A flag that Core 28 does not have is not set anyway.
  const known = flagText.split(',').filter((word) => parseFlags(word) !== undefined)
  const excluded = need(parseFlags(known.join(',')), `the flags ${flagText}`)
  const flags = withoutFlags(ALL_FLAGS, excluded)
  const verdict = differs({ error: [run(flags), 'OK'] }) ?? checkSoftForks(run, flags, 'OK')
  if (verdict) return verdict
  const idle = eachLess(excluded).find((fewer) => run(withoutFlags(ALL_FLAGS, fewer)) === 'OK')
  return idle === undefined ? undefined : 'a flag is excluded without need'
}

/** Refused under the flags named, and taken under any set that lacks one of them. */
export function checkInvalidSpend({ raw, keys, prevouts, flagText }: TransactionCase): Verdict {
  const run = runOf(raw, keys, prevouts)
  const flags = need(parseFlags(flagText), `the flags ${flagText}`)
  const error = run(flags)
  if (error === 'OK') return 'was taken, has to be refused'
  const verdict = checkSoftForks(run, flags, error)
  if (verdict) return verdict
  const idle = eachLess(flags).find((fewer) => run(fewer) !== 'OK')
  return idle === undefined ? undefined : 'refused without the flags that are said to refuse it'
}
