import { fromHex, toHex } from '@kaccy/bitcoin/kernel'
import { classifyOutput, hash160, p2shOf } from '@kaccy/bitcoin/protocol/script'
import { decodeTransaction, txidOf } from '@kaccy/bitcoin/protocol/transaction'
import {
  decodeScriptNumber,
  encodeScriptNumber,
  isStrictSignature,
  runScript,
  scriptToAsm,
} from '@kaccy/devnet/script'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { assemble } from '../asm.ts'
import {
  type Case,
  type CaseRecord,
  differs,
  isRecord,
  isTable,
  jsonShape,
  must,
  runShapes,
  sections,
  under,
  type Verdict,
} from '../cases.ts'
import { checkPayment, type PaymentRow, paymentType, refusePayment } from '../payments.ts'

export const topic = 'scripts'

interface NumberRow {
  readonly hex: string
  readonly number: number
  readonly bytes?: number
}
const numbers = jsonShape<readonly NumberRow[]>(
  (data) => isTable(data, 'hex', 'number'),
  function* (rows): Generator<Case> {
    for (const [i, { hex, number, bytes }] of rows.entries()) {
      const check = () => {
        const read = decodeScriptNumber(fromHex(hex), true, bytes)
        return differs({ read: [read, number], written: [toHex(encodeScriptNumber(number)), hex] })
      }
      yield [String(i), check]
    }
  },
)

/** Text of a script as bitcoinjs writes it: our own text says `-1` and small numbers without `OP_`. */
interface ScriptRow {
  readonly asm: string
  readonly script: string
  readonly stack?: readonly string[]
}
/** Pushes of a script that does nothing else, as the interpreter leaves them. */
function stackOf(script: Uint8Array): string | undefined {
  const { stack, error } = runScript({ script })
  return error === undefined ? stack.map(toHex).join() : undefined
}
function checkScript({ asm, script, stack }: ScriptRow): Verdict {
  const bytes = fromHex(script)
  // Core writes numbers where bitcoinjs writes their opcodes, and short pushes as numbers.
  const words = (text: string): string =>
    text
      .split(' ')
      .map((word) => word.replace(/^OP_(\d{1,2})$/, '$1').replace(/^OP_1NEGATE$/, '-1'))
      .join(' ')
  return differs({
    bytes: [toHex(assemble(asm)), script],
    asm: [scriptToAsm(bytes), words(asm)],
    stack: [stack && stackOf(bytes), stack?.join()],
  })
}
interface TemplateRow {
  readonly type: string
  readonly pubKey?: string
  readonly pubKeys?: readonly string[]
  readonly redeemScript?: string
  readonly input?: string
  readonly inputHex?: string
  readonly inputStack?: readonly string[]
  readonly output?: string
  readonly outputHex?: string
  readonly nonstandard?: { readonly input: string; readonly inputHex: string }
}
/** Their words for our types. */
const TEMPLATES: Readonly<Record<string, string>> = {
  p2pk: 'pubkey',
  p2pkh: 'pubkeyhash',
  p2sh: 'scripthash',
  p2wpkh: 'witnesspubkeyhash',
  multisig: 'multisig',
  op_return: 'nulldata',
}
const bytesOf = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : toHex(assemble(text))
function checkTemplate(row: TemplateRow): Verdict {
  const output = row.outputHex === undefined ? undefined : classifyOutput(fromHex(row.outputHex))
  const owned = output && 'hash' in output ? toHex(output.hash) : undefined
  const source = row.redeemScript ? p2shOf(assemble(row.redeemScript)) : undefined
  const stack = row.inputHex === undefined ? undefined : stackOf(fromHex(row.inputHex))
  return differs({
    output: [bytesOf(row.output), row.outputHex],
    // A text of pushes alone does not say which way each is pushed: the shortest is Core's.
    input: [row.input && bytesOf(row.input), row.input && row.inputHex],
    type: [output && (TEMPLATES[output.type] ?? 'nonstandard'), output && row.type],
    hash: [row.pubKey && owned ? toHex(hash160(fromHex(row.pubKey))) : owned, owned],
    redeem: [source && toHex(source), source && row.outputHex],
    stack: [row.inputStack && row.inputHex ? stack : undefined, inputStack(row)],
  })
}
const inputStack = (row: TemplateRow): string | undefined =>
  row.inputHex === undefined ? undefined : row.inputStack?.join()
const scripts = jsonShape<{
  readonly valid: readonly ScriptRow[]
  readonly valid2: readonly TemplateRow[]
}>(
  (data) => isRecord(data, 'valid', 'valid2') && isTable(data.valid, 'asm', 'script'),
  (data) => sections(data, { valid: checkScript, valid2: checkTemplate }),
)

interface Numbers {
  readonly r: string
  readonly s: string
}
interface SignatureRow {
  readonly hex: string
  readonly hashType?: number
  readonly raw?: Numbers
  readonly exception?: string
}
const padded = (hex: string): string => hex.replace(/^00(?=[89a-f])/, '').padStart(64, '0')
/** Both numbers of a strict signature, read by the audited library. */
function numbersOf(der: Uint8Array): Numbers {
  const { r, s } = secp256k1.Signature.fromBytes(der, 'der')
  const text = (value: bigint) => value.toString(16).padStart(64, '0')
  return { r: text(r), s: text(s) }
}
function checkSignature({ hex, hashType, raw }: SignatureRow): Verdict {
  const bytes = fromHex(hex)
  const { r, s } = numbersOf(bytes.subarray(0, -1))
  return differs({
    strict: [isStrictSignature(bytes), true],
    hashType: [bytes.at(-1), hashType],
    r: [r, raw && padded(raw.r)],
    s: [s, raw && padded(raw.s)],
  })
}
const DEFINED_TYPES = new Set([1, 2, 3, 0x81, 0x82, 0x83])
function refuseSignature({ hex }: SignatureRow): Verdict {
  const bytes = fromHex(hex)
  const isTaken = isStrictSignature(bytes) && DEFINED_TYPES.has(bytes.at(-1) ?? 0)
  return isTaken ? 'was taken, has to be refused' : undefined
}
const signatures = jsonShape<{
  readonly valid: readonly SignatureRow[]
  readonly invalid: readonly SignatureRow[]
}>(
  (data) => isRecord(data, 'valid', 'invalid') && isTable(data.valid, 'hashType', 'hex', 'raw'),
  (data) => sections(data, { valid: checkSignature, invalid: refuseSignature }),
)

interface DerRow extends Partial<Numbers> {
  readonly DER?: string
}
/** A DER sequence of two integers, as they stand. */
function encode({ r = '', s = '' }: DerRow): Uint8Array {
  const integer = (hex: string) => [2, hex.length / 2, ...fromHex(hex)]
  const body = [...integer(r), ...integer(s)]
  return Uint8Array.of(0x30, body.length, ...body)
}
/** The devnet reads signatures with their hash type. */
const isStrict = (der: Uint8Array): boolean => isStrictSignature(Uint8Array.of(...der, 1))
const checkDer = (row: DerRow): Verdict =>
  differs({
    strict: [isStrict(fromHex(row.DER ?? '')), true],
    encoded: [toHex(encode(row)), row.DER],
  })
const refuseDer = (row: DerRow): Verdict => {
  const der = row.DER === undefined ? encode(row) : fromHex(row.DER)
  return isStrict(der) ? 'was taken, has to be refused' : undefined
}
const der = jsonShape<{
  readonly valid: readonly DerRow[]
  readonly invalid: { readonly encode: readonly DerRow[]; readonly decode: readonly DerRow[] }
}>(
  (data) => isRecord(data, 'valid', 'invalid') && isRecord(data.invalid, 'encode', 'decode'),
  function* ({ valid, invalid }): Generator<Case> {
    yield* sections({ valid }, { valid: checkDer })
    yield* under('invalid', sections(invalid, { encode: refuseDer, decode: refuseDer }))
  },
)

interface SortRow {
  readonly name: string
  readonly tx: string
  readonly is_sorted: boolean
  readonly txid: string
  readonly sorted_txid: string
}
function checkSort({ tx, txid, sorted_txid, is_sorted }: SortRow): Verdict {
  const transaction = must(decodeTransaction(fromHex(tx)))
  const verdict = differs({
    txid: [txidOf(transaction), txid],
    sorted: [sorted_txid === txid, is_sorted],
  })
  const reason = 'the txid is right; to sort by BIP 69 comes with withdrawals and is not built yet'
  return verdict ?? { skip: reason }
}
const sorting = jsonShape<readonly SortRow[]>(
  (data) => isTable(data, 'tx', 'is_sorted', 'sorted_txid'),
  function* (rows): Generator<Case> {
    for (const [i, row] of rows.entries()) yield [`${i}`, () => checkSort(row)]
  },
)

const payments = jsonShape<{
  readonly valid: readonly PaymentRow[]
  readonly invalid: readonly PaymentRow[]
}>(
  (data) => isRecord(data, 'valid', 'invalid') && paymentType(data.valid) !== undefined,
  function* ({ valid, invalid }): Generator<Case> {
    const type = paymentType(valid) ?? ''
    for (const [i, row] of valid.entries()) yield [`valid ${i}`, () => checkPayment(type, row)]
    for (const [i, row] of invalid.entries()) {
      yield [`invalid ${i}`, () => refusePayment(type, row)]
    }
  },
)

export const run = (dir: string): AsyncGenerator<CaseRecord> =>
  runShapes(dir, [numbers, scripts, signatures, der, sorting, payments])
