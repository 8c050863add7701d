/**
 * The payments of bitcoinjs: each row names some facts of an output or of the input that spends it, and the others have to follow.
 * The engine reads and writes addresses and outputs, the devnet judges signatures.
 */
import { fromHex, type Network, toHex } from '@kaccy/bitcoin/kernel'
import { addressOf, parseAddress } from '@kaccy/bitcoin/protocol/address'
import {
  classifyOutput,
  encodePush,
  hash160,
  joinBytes,
  p2shOf,
  p2wpkhScript,
  p2wshOf,
} from '@kaccy/bitcoin/protocol/script'
import { isStrictSignature } from '@kaccy/devnet/script'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { assemble } from './asm.ts'
import { differs, type Verdict } from './cases.ts'

interface Facts {
  readonly name?: string
  readonly network?: string
  readonly address?: string | null
  readonly hash?: string | null
  readonly output?: string | null
  readonly outputHex?: string | null
  readonly pubkey?: string | null
  readonly signature?: string | null
  readonly input?: string | null
  readonly inputHex?: string | null
  readonly witness?: readonly string[] | null
  readonly data?: readonly string[] | null
  readonly redeem?: Facts | null
}
export interface PaymentRow {
  readonly arguments: Facts
  readonly expected?: Facts
}
interface Derived {
  readonly script: Uint8Array
  readonly hash?: string | undefined
  readonly pubkey?: string | undefined
  readonly signature?: string | undefined
  readonly input?: string | undefined
  readonly witness?: readonly string[] | undefined
}
/** The facts do not fit together, or are no such payment. */
class Contradiction extends Error {
  override readonly name = 'Contradiction'
}
function only(what: string, values: readonly (string | undefined | null)[]): string | undefined {
  const given = [...new Set(values.filter((value) => value !== undefined && value !== null))]
  if (given.length > 1) throw new Contradiction(what)
  return given[0]
}
function need<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Contradiction(what)
  return value
}
const networkOf = ({ network, redeem }: Facts): Network =>
  (network ?? redeem?.network) === 'testnet' ? 'testnet4' : 'main'
const isMissing = (text: string | null | undefined): text is null | undefined =>
  text === undefined || text === null

/** A script as the pushes that it is made of; undefined when one is none. */
function pushesOf(script: Uint8Array): readonly string[] | undefined {
  const pushes: string[] = []
  for (let at = 0; at < script.length; ) {
    const code = script[at] ?? 0
    at += 1
    if (code === 0x4c || code === 0x4d) {
      const width = code - 0x4b
      const size = (script[at] ?? 0) + (width === 2 ? (script[at + 1] ?? 0) * 256 : 0)
      pushes.push(toHex(script.subarray(at + width, at + width + size)))
      at += width + size
    } else if (code <= 75) {
      pushes.push(toHex(script.subarray(at, at + code)))
      at += code
    } else return undefined
    if (at > script.length) return undefined
  }
  return pushes
}
const scriptIn = (text?: string | null, hex?: string | null): Uint8Array | undefined => {
  if (!isMissing(hex)) return fromHex(hex)
  return isMissing(text) ? undefined : assemble(text)
}
function isKey(hex: string): boolean {
  try {
    secp256k1.Point.fromBytes(fromHex(hex)).assertValidity()
    return true
  } catch {
    return false
  }
}
function checkKey(key: string | undefined, compressedOnly = false): void {
  if (key === undefined) return
  if (!isKey(key) || (compressedOnly && key.length !== 66)) throw new Contradiction('key')
}
function checkSignature(signature: string | undefined): void {
  if (signature !== undefined && !isStrictSignature(fromHex(signature))) {
    throw new Contradiction('signature')
  }
}
/** The hash in an output of this type, from an address or a script. */
function hashIn(facts: Facts, type: string): readonly (string | undefined)[] {
  const script = scriptIn(facts.output, facts.outputHex)
  const parsed = isMissing(facts.address)
    ? undefined
    : parseAddress(facts.address, networkOf(facts))
  if (parsed && !parsed.ok) throw new Contradiction('address')
  const scripts = [script, parsed?.ok ? parsed.value.script : undefined]
  return scripts.map((own) => {
    if (own === undefined) return undefined
    const output = classifyOutput(own)
    if (output.type !== type) throw new Contradiction(`no ${type}`)
    if ('hash' in output) return toHex(output.hash)
    return 'program' in output ? toHex(output.program) : undefined
  })
}

function payToKeyHash(facts: Facts, isWitness: boolean): Derived {
  const input = scriptIn(facts.input, facts.inputHex)
  const items = isWitness ? facts.witness : input && need(pushesOf(input), 'pushes')
  const used = !items || items.length === 0 ? [] : items
  if (used.length !== 0 && used.length !== 2) throw new Contradiction('two items')
  const signature = only('signature', [facts.signature, used[0]])
  const pubkey = only('pubkey', [facts.pubkey, used[1]])
  checkKey(pubkey, isWitness)
  checkSignature(signature)
  const own = pubkey === undefined ? undefined : toHex(hash160(fromHex(pubkey)))
  const hash = need(
    only('hash', [facts.hash, own, ...hashIn(facts, isWitness ? 'p2wpkh' : 'p2pkh')]),
    'not enough data',
  )
  const bytes = fromHex(hash)
  const script = isWitness
    ? p2wpkhScript(bytes)
    : joinBytes(Uint8Array.of(0x76, 0xa9, 20), bytes, Uint8Array.of(0x88, 0xac))
  const both = signature === undefined || pubkey === undefined ? undefined : [signature, pubkey]
  return {
    script,
    hash,
    pubkey,
    signature,
    ...(both ? (isWitness ? { witness: both } : { input: both.join(' ') }) : {}),
  }
}
function payToKey(facts: Facts): Derived {
  const output = scriptIn(facts.output, facts.outputHex)
  const inOutput = output && need(keyIn(output), 'no p2pk')
  const input = scriptIn(facts.input, facts.inputHex)
  const pubkey = need(only('pubkey', [facts.pubkey, inOutput]), 'not enough data')
  const signature = only('signature', [facts.signature, input && pushesOf(input)?.[0]])
  checkKey(pubkey)
  checkSignature(signature)
  const script = joinBytes(encodePush(fromHex(pubkey)), Uint8Array.of(0xac))
  return { script, pubkey, signature, input: signature }
}
function keyIn(script: Uint8Array): string | undefined {
  const [size = 0] = script
  const fits = (size === 33 || size === 65) && script.length === size + 2
  return fits && script.at(-1) === 0xac ? toHex(script.subarray(1, -1)) : undefined
}
/** Limits of what a redeem script may be: one element of the stack, or what is relayed in a witness. */
const MAX_REDEEM = 520
const MAX_WITNESS_SCRIPT = 3600

function payToScript(facts: Facts, isWitness: boolean): Derived {
  const { redeem } = facts
  if (redeem?.network && facts.network && redeem.network !== facts.network) {
    throw new Contradiction('network')
  }
  const given = redeem ? scriptIn(redeem.output, redeem.outputHex) : undefined
  const input = scriptIn(facts.input, facts.inputHex)
  const items = isWitness ? facts.witness : input && (pushesOf(input) ?? [])
  const shown = items?.at(-1)
  if (items && (shown === undefined || shown.length < 2)) throw new Contradiction('input too short')
  const inner = only('redeem', [given && toHex(given), shown])
  if (inner === '') throw new Contradiction('redeem too short')
  const bytes = inner === undefined ? undefined : fromHex(inner)
  if (bytes && bytes.length > (isWitness ? MAX_WITNESS_SCRIPT : MAX_REDEEM)) {
    throw new Contradiction('redeem too long')
  }
  const own = bytes && toHex(isWitness ? sha256(bytes) : hash160(bytes))
  const type = isWitness ? 'p2wsh' : 'p2sh'
  const hash = need(only('hash', [facts.hash, own, ...hashIn(facts, type)]), 'not enough data')
  const script = isWitness
    ? joinBytes(Uint8Array.of(0, 32), fromHex(hash))
    : joinBytes(Uint8Array.of(0xa9, 20), fromHex(hash), Uint8Array.of(0x87))
  // The same output from the script itself.
  if (bytes && toHex(isWitness ? p2wshOf(bytes) : p2shOf(bytes)) !== toHex(script)) {
    throw new Contradiction('output')
  }
  return { script, hash }
}
function embed(facts: Facts): Derived {
  const output = scriptIn(facts.output, facts.outputHex)
  if (output && output[0] !== 0x6a) throw new Contradiction('no OP_RETURN')
  const inOutput = output && need(pushesOf(output.subarray(1)), 'pushes')
  const data = need(only('data', [facts.data?.join(' '), inOutput?.join(' ')]), 'not enough data')
  const pushes = data.split(' ').map((item) => encodePush(fromHex(item)))
  return { script: joinBytes(Uint8Array.of(0x6a), ...pushes) }
}
const TYPES: Readonly<Record<string, (facts: Facts) => Derived>> = {
  p2pkh: (facts) => payToKeyHash(facts, false),
  p2wpkh: (facts) => payToKeyHash(facts, true),
  p2pk: payToKey,
  p2sh: (facts) => payToScript(facts, false),
  p2wsh: (facts) => payToScript(facts, true),
  embed,
}
/** The kind of payment that a file is about; undefined when none of these. */
export const paymentType = (rows: readonly PaymentRow[]): string | undefined => {
  const name = (rows[0]?.expected?.name ?? '').replace(/-.*/, '')
  return Object.hasOwn(TYPES, name) ? name : rows[0]?.expected?.data ? 'embed' : undefined
}
const derive = (type: string, facts: Facts): Derived =>
  need(TYPES[type], `the payment ${type}`)(facts)

export function checkPayment(
  type: string,
  { arguments: facts, expected = {} }: PaymentRow,
): Verdict {
  const derived = derive(type, facts)
  const address = addressOf(derived.script, networkOf(facts))
  const same = <T>(
    actual: T | undefined,
    wanted: T | null | undefined,
  ): readonly [unknown, unknown] =>
    wanted === null || wanted === undefined || actual === undefined
      ? [undefined, undefined]
      : [String(actual), String(wanted)]
  const output = isMissing(expected.output) ? undefined : toHex(assemble(expected.output))
  return differs({
    output: same(toHex(derived.script), output),
    address: same(address.ok ? address.value : undefined, expected.address),
    hash: same(derived.hash, expected.hash),
    pubkey: same(derived.pubkey, expected.pubkey),
    signature: same(derived.signature, expected.signature),
    input: same(derived.input, isMissing(expected.input) ? undefined : expected.input),
    witness: same(derived.witness, expected.witness),
  })
}
const NO_BUILDER =
  'a rule of the payment builder of bitcoinjs beyond what the chain asks of an output'
export function refusePayment(type: string, { arguments: facts }: PaymentRow): Verdict {
  try {
    derive(type, facts)
  } catch {
    return undefined
  }
  return { skip: NO_BUILDER }
}
