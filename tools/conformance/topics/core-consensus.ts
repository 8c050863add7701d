import { fromHex, toHex, toReversedHex } from '@kaccy/bitcoin/kernel'
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
  type Transaction,
} from '@kaccy/bitcoin/protocol/transaction'
import { computeBlockFilter, createDevnetInProcess } from '@kaccy/devnet'
import { signatureHasher } from '@kaccy/devnet/script'
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
import {
  checkInvalidSpend,
  checkScript,
  checkValidSpend,
  type ScriptRow,
  type TransactionCase,
} from '../spends.ts'

export const topic = 'core-consensus'

/** What a transaction file is about stands in its name only: both have the same rows. */
const isInvalid = ({ name }: VectorFile): boolean => name.includes('invalid')

/** A row with one text is a comment. */
const isComment = (row: unknown): boolean =>
  Array.isArray(row) && row.length === 1 && typeof row[0] === 'string'
/** One case for each row that is no comment, under its place in the file. */
function* eachRow<T>(rows: readonly T[], check: (row: T) => Verdict): Generator<Case> {
  for (const [i, row] of rows.entries()) if (!isComment(row)) yield [String(i), () => check(row)]
}

type TransactionRow = readonly [prevouts: TransactionCase['prevouts'], hex: string, flags: string]
const isTransactionRow = (row: unknown): boolean =>
  isComment(row) ||
  (Array.isArray(row) && row.length === 3 && Array.isArray(row[0]) && typeof row[1] === 'string')

const caseOf = (
  [prevouts, hex, flagText]: TransactionRow,
  transaction: Transaction,
): TransactionCase => ({
  raw: fromHex(hex),
  keys: transaction.inputs.map(({ txid, vout }) => `${txid}:${vout}`),
  prevouts,
  flagText,
})

/** Valid ones come out byte for byte, break no context-free rule, and their scripts hold. */
function checkValid(row: TransactionRow): Verdict {
  const [, hex] = row
  const transaction = must(decodeTransaction(fromHex(hex)))
  must(checkTransaction(transaction))
  const verdict = differs({ bytes: [toHex(encodeTransaction(transaction)), hex] })
  return verdict ?? checkValidSpend(caseOf(row, transaction))
}

/** Invalid ones break a context-free rule where the row says so; the others come out byte for byte and fail by script. */
function checkInvalid(row: TransactionRow): Verdict {
  const [, hex, flags] = row
  const decoded = decodeTransaction(fromHex(hex))
  if (!decoded.ok || !checkTransaction(decoded.value).ok) {
    return flags === 'BADTX' ? undefined : 'was refused before its scripts ran'
  }
  if (flags === 'BADTX') return 'was taken, has to be refused'
  const verdict = differs({ bytes: [toHex(encodeTransaction(decoded.value)), hex] })
  return verdict ?? checkInvalidSpend(caseOf(row, decoded.value))
}

const transactions = {
  matches: ({ data }: VectorFile): boolean => Array.isArray(data) && data.every(isTransactionRow),
  cases: (file: VectorFile): Iterable<Case> =>
    eachRow(file.data as readonly TransactionRow[], isInvalid(file) ? checkInvalid : checkValid),
}

type SighashRow = readonly [hex: string, script: string, input: number, type: number, hash: string]
/** The transaction comes out byte for byte, and signing the script with this type signs this hash. */
function checkSighash([hex, script, input, type, hash]: SighashRow): Verdict {
  const digest = signatureHasher(fromHex(hex)).legacy(input, fromHex(script), type)
  return differs({
    bytes: [toHex(encodeTransaction(must(decodeTransaction(fromHex(hex))))), hex],
    hash: [toReversedHex(digest), hash],
  })
}
const sighashes = jsonShape<readonly SighashRow[]>(
  (rows) =>
    Array.isArray(rows) &&
    rows.every((row) => isComment(row) || (row.length === 5 && typeof row[2] === 'number')),
  (rows) => eachRow(rows, checkSighash),
)

/** Scripts as Core writes them; an optional witness with its amount stands in front. */
const scripts = jsonShape<readonly ScriptRow[]>(
  (rows) =>
    Array.isArray(rows) &&
    rows.every((row) => {
      const rest: readonly unknown[] = Array.isArray(row[0]) ? row.slice(1) : row
      const isCase = rest.length >= 4 && rest.slice(0, 4).every((cell) => typeof cell === 'string')
      return isCase || isComment(row)
    }),
  (rows) => eachRow(rows, checkScript),
)

type FilterRow = readonly [
  height: number,
  hash: string,
  block: string,
  spent: readonly string[],
  previous: string,
  filter: string,
  header: string,
]
function checkFilter([, hash, block, spent, previous, filter, header]: FilterRow): Verdict {
  const made = computeBlockFilter(fromHex(block), spent.map(fromHex), previous)
  return differs({
    hash: [made?.blockHash, hash],
    filter: [made && toHex(made.filter), filter],
    header: [made?.header, header],
  })
}
const filters = jsonShape<readonly FilterRow[]>(
  (rows) => Array.isArray(rows) && rows.some(([first]) => String(first).startsWith('Block Height')),
  function* (rows): Generator<Case> {
    for (const row of rows.filter(({ length }) => length > 1)) {
      yield [`block ${row[0]}`, () => checkFilter(row)]
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
/** JSON without members that are undefined, its keys in order. */
const text = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  )
const decodedScripts = jsonShape<readonly (readonly [hex: string, answer: DecodedScript])[]>(
  (rows) => Array.isArray(rows) && rows.every((row) => row.length === 2 && 'type' in row[1]),
  function* (rows): Generator<Case> {
    const devnet = createDevnetInProcess({ start: 'genesis' })
    for (const [hex, answer] of rows) {
      const check = () =>
        checkDecoded(fromHex(hex), answer) ??
        differs({
          devnet: [text(devnet.call('decodescript', [hex])), text(answer)],
        })
      yield [hex, check]
    }
  },
)

export const run = (dir: string): AsyncGenerator<CaseRecord> =>
  runShapes(dir, [filters, transactions, sighashes, decodedScripts, scripts])
