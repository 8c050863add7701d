/** Rows of bitcoinjs that name parts of a taproot output or of its script of n keys, of which the rest has to follow. */
import { fromHex, toHex } from '@kaccy/bitcoin/kernel'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { assemble } from './asm.ts'
import { type Case, differs, isRecord, jsonShape, type Verdict } from './cases.ts'

/** A row that contradicts itself, in the words of the case. */
export class Contradiction extends Error {
  override readonly name = 'Contradiction'
}
export const agree = (what: string, a: string | undefined, b: string | undefined): void => {
  if (a !== undefined && b !== undefined && a !== b) throw new Contradiction(what)
}
export function isCurvePoint(x: string): boolean {
  try {
    secp256k1.Point.fromBytes(fromHex(`02${x}`)).assertValidity()
    return true
  } catch {
    return false
  }
}
export const NO_BUILDER =
  'a rule of the payment builder of bitcoinjs beyond what the chain asks of an output'
interface LeafRow {
  readonly arguments: LeafFacts
  readonly options?: { readonly allowIncomplete?: boolean }
  readonly expected?: LeafFacts & { readonly n?: number }
}
interface LeafFacts {
  readonly pubkeys?: readonly string[]
  readonly output?: string
  readonly outputHex?: string
  readonly signatures?: readonly (string | number)[]
  readonly input?: string
  readonly inputHex?: string
}
const KEY = 32
/** The keys of `<key> CHECKSIGVERIFY ... <key> CHECKSIG`. @throws Contradiction for any other script. */
function leafKeys(script: Uint8Array): readonly string[] {
  const keys: string[] = []
  for (let at = 0; at < script.length; at += KEY + 2) {
    const last = at + KEY + 2 === script.length
    if (script[at] !== KEY || script[at + KEY + 1] !== (last ? 0xac : 0xad)) {
      throw new Contradiction('not a script of n keys')
    }
    keys.push(toHex(script.subarray(at + 1, at + KEY + 1)))
  }
  if (keys.length === 0) throw new Contradiction('no script')
  return keys
}
const leafScript = (keys: readonly string[]): Uint8Array =>
  assemble(
    keys.map((key, i) => `${key} OP_CHECKSIG${i + 1 < keys.length ? 'VERIFY' : ''}`).join(' '),
  )
const isSignature = (text: string | number): boolean =>
  typeof text === 'string' && (text.length === 128 || text.length === 130)
const wordsOf = ({ input }: LeafFacts): readonly string[] | undefined =>
  input === undefined ? undefined : input.split(' ').filter((word) => word !== '')
function deriveLeaf({ arguments: facts, options = {} }: LeafRow) {
  const script = facts.output === undefined ? undefined : assemble(facts.output)
  const keys = script ? leafKeys(script) : facts.pubkeys
  if (!keys) throw new Contradiction('not enough data')
  agree('keys', keys.join(), facts.pubkeys?.join() ?? keys.join())
  if (keys.some((key) => !isCurvePoint(key))) throw new Contradiction('no point')
  const given = facts.signatures?.map((item) => (isSignature(item) ? String(item) : 'OP_0'))
  // The script takes its first signature from the top of the stack.
  const stack = given && [...given].reverse()
  const read = wordsOf(facts)
  const words = stack ?? read
  agree('signatures', stack?.join(), read?.join() ?? stack?.join())
  if (words && words.length !== keys.length) throw new Contradiction('count of signatures')
  if (words && !options.allowIncomplete && !words.every(isSignature)) {
    throw new Contradiction('no signature')
  }
  return { keys, script: leafScript(keys), words }
}
function checkLeaf(row: LeafRow): Verdict {
  const { expected = {} } = row
  const { keys, script, words } = deriveLeaf(row)
  return differs({
    n: [keys.length, expected.n ?? keys.length],
    keys: [keys.join(), expected.pubkeys?.join() ?? keys.join()],
    output: [toHex(script), toHex(expected.output ? assemble(expected.output) : script)],
    input: [words?.join(' '), expected.input ?? words?.join(' ')],
  })
}
/** Files about `<key> CHECKSIGVERIFY ... <key> CHECKSIG`. */
export const leaves = jsonShape<{
  readonly valid: readonly LeafRow[]
  readonly invalid: readonly LeafRow[]
}>(
  (data) =>
    isRecord(data, 'valid', 'invalid') &&
    data.valid.every(({ expected }) =>
      String((expected as { name?: string }).name).startsWith('p2tr_ns'),
    ),
  function* ({ valid, invalid }): Generator<Case> {
    for (const [i, row] of valid.entries()) yield [`valid ${i}`, () => checkLeaf(row)]
    for (const [i, row] of invalid.entries()) {
      const check = (): Verdict => {
        try {
          deriveLeaf(row)
        } catch {
          return undefined
        }
        return { skip: NO_BUILDER }
      }
      yield [`invalid ${i}`, check]
    }
  },
)
