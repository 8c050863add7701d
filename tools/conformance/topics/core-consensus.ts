import { fromHex, toHex } from '@kaccy/bitcoin/kernel'
import { addressOf } from '@kaccy/bitcoin/protocol/address'
import { descriptorChecksum } from '@kaccy/bitcoin/protocol/descriptor'
import {
  classifyOutput,
  hash160,
  OP,
  type OutputType,
  p2shOf,
  p2wpkhScript,
  p2wshOf,
  readScript,
} from '@kaccy/bitcoin/protocol/script'
import {
  checkTransaction,
  decodeTransaction,
  encodeTransaction,
} from '@kaccy/bitcoin/protocol/transaction'
import {
  type Case,
  type CaseRecord,
  differs,
  jsonShape,
  must,
  runShapes,
  type VectorFile,
  type Verdict,
} from '../cases.ts'

export const topic = 'core-consensus'

const NO_INTERPRETER = 'the script interpreter comes with the devnet issue'

/** What a transaction file is about stands in its name only: both have the same rows. */
const isInvalid = ({ name }: VectorFile): boolean => name.includes('invalid')

type TransactionRow = readonly [prevouts: readonly unknown[], hex: string, flags: string]
const isTransactionRow = (row: unknown): row is TransactionRow =>
  Array.isArray(row) && row.length === 3 && Array.isArray(row[0]) && typeof row[1] === 'string'

/** Valid ones come out byte for byte and break no context-free rule. */
function checkValid(hex: string): Verdict {
  const transaction = must(decodeTransaction(fromHex(hex)))
  must(checkTransaction(transaction))
  return differs({ bytes: [toHex(encodeTransaction(transaction)), hex] })
}

/**
 * Invalid ones are refused by the decoder or by a context-free rule; the others have to come out byte for byte, and are
 * skipped because it takes their scripts to refuse them.
 */
function checkInvalid(hex: string, flags: string): Verdict {
  const decoded = decodeTransaction(fromHex(hex))
  if (!decoded.ok || !checkTransaction(decoded.value).ok) return undefined
  if (flags === 'BADTX') return 'was taken, has to be refused'
  const verdict = differs({ bytes: [toHex(encodeTransaction(decoded.value)), hex] })
  return verdict ?? { skip: `decoded byte for byte; to refuse it, ${NO_INTERPRETER}` }
}

const transactions = {
  matches: ({ data }: VectorFile): boolean => Array.isArray(data) && data.every(isTransactionRow),
  *cases(file: VectorFile): Generator<Case> {
    const check = isInvalid(file) ? checkInvalid : checkValid
    for (const [i, [, hex, flags]] of (file.data as readonly TransactionRow[]).entries()) {
      yield [String(i), () => check(hex, flags)]
    }
  },
}

type SighashRow = readonly [hex: string, script: string, input: number, type: number, hash: string]
const sighashes = jsonShape<readonly SighashRow[]>(
  (rows) =>
    Array.isArray(rows) && rows.every((row) => row.length === 5 && typeof row[2] === 'number'),
  function* (rows): Generator<Case> {
    for (const [i, [hex]] of rows.entries()) {
      yield [
        String(i),
        () =>
          differs({
            bytes: [toHex(encodeTransaction(must(decodeTransaction(fromHex(hex))))), hex],
          }),
      ]
    }
  },
)

/** Scripts as Core writes them; an optional witness with its amount stands in front. */
const scripts = jsonShape<readonly (readonly unknown[])[]>(
  (rows) =>
    Array.isArray(rows) &&
    rows.every((row) => {
      const rest: readonly unknown[] = Array.isArray(row[0]) ? row.slice(1) : row
      return rest.length >= 4 && rest.slice(0, 4).every((cell) => typeof cell === 'string')
    }),
  function* (rows): Generator<Case> {
    for (const i of rows.keys())
      yield [String(i), () => ({ skip: `runs a script: ${NO_INTERPRETER}` })]
  },
)

const filters = jsonShape<readonly (readonly unknown[])[]>(
  (rows) => Array.isArray(rows) && rows.some(([first]) => String(first).startsWith('Block Height')),
  function* (rows): Generator<Case> {
    for (const [height] of rows.filter((row) => row.length > 1)) {
      yield [
        `block ${height}`,
        () => ({ skip: 'compact block filters are not built: whole blocks are scanned' }),
      ]
    }
  },
)

/** Core's words for our types. Source: Core, GetTxnOutputType. */
const CORE_TYPES: Readonly<Record<OutputType, string>> = {
  p2pk: 'pubkey',
  p2pkh: 'pubkeyhash',
  p2sh: 'scripthash',
  p2wpkh: 'witness_v0_keyhash',
  p2wsh: 'witness_v0_scripthash',
  p2tr: 'witness_v1_taproot',
  p2a: 'anchor',
  witness_unknown: 'witness_unknown',
  multisig: 'multisig',
  op_return: 'nulldata',
  nonstandard: 'nonstandard',
}
/** Core calls data behind OP_RETURN standard only when it is pushed. */
function coreType(script: Uint8Array): string {
  const { type } = classifyOutput(script)
  const steps = readScript(script.subarray(1))
  const isPushed = steps.ok && steps.value.every(({ opcode }) => opcode <= OP.OP_16)
  return type === 'op_return' && !isPushed ? CORE_TYPES.nonstandard : CORE_TYPES[type]
}

interface DecodedScript {
  readonly type: string
  readonly address?: string
  readonly desc?: string
  readonly p2sh?: string
  readonly segwit?: DecodedScript & { readonly hex: string; readonly 'p2sh-segwit': string }
}
const regtestAddress = (script: Uint8Array): string | undefined => {
  const address = addressOf(script, 'regtest')
  return address.ok ? address.value : undefined
}

/** The segwit output that Core proposes for a script: of its key where it has one, else of the whole script. */
function segwitOf(script: Uint8Array): Uint8Array {
  const output = classifyOutput(script)
  if (output.type === 'p2pkh') return p2wpkhScript(output.hash)
  return output.type === 'p2pk' ? p2wpkhScript(hash160(output.publicKey)) : p2wshOf(script)
}

function checkDescriptor(script: Uint8Array, desc: string): Verdict {
  const [body = '', checksum] = desc.split('#')
  const address = regtestAddress(script)
  const plain = [`raw(${toHex(script)})`, `addr(${address})`]
  if (/^(?:raw|addr)\(/.test(body) && !plain.includes(body)) return `desc: ${body} is not expected`
  return differs({ checksum: [descriptorChecksum(body), checksum] })
}

function checkDecoded(script: Uint8Array, expected: DecodedScript): Verdict {
  const { segwit } = expected
  return (
    differs({
      type: [coreType(script), expected.type],
      address: [regtestAddress(script), expected.address],
      p2sh: [expected.p2sh && regtestAddress(p2shOf(script)), expected.p2sh],
      segwit: [segwit && toHex(segwitOf(script)), segwit?.hex],
      'p2sh-segwit': [segwit && regtestAddress(p2shOf(segwitOf(script))), segwit?.['p2sh-segwit']],
    }) ??
    (expected.desc && checkDescriptor(script, expected.desc)) ??
    (segwit && checkDecoded(fromHex(segwit.hex), { ...segwit, type: segwit.type }))
  )
}
const decodedScripts = jsonShape<readonly (readonly [hex: string, answer: DecodedScript])[]>(
  (rows) => Array.isArray(rows) && rows.every((row) => row.length === 2 && 'type' in row[1]),
  function* (rows): Generator<Case> {
    for (const [hex, answer] of rows) yield [hex, () => checkDecoded(fromHex(hex), answer)]
  },
)

export const run = (dir: string): AsyncGenerator<CaseRecord> =>
  runShapes(dir, [filters, transactions, sighashes, decodedScripts, scripts])
