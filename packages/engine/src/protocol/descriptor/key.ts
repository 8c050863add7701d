import { equalBytes, ok, type Refusal, type Result, tryFromHex } from '../../kernel/index.ts'
import {
  type ExtendedKey,
  isHardened,
  isPrivateKey,
  type KeyNetwork,
  type KeyOrigin,
  parseExtendedKey,
  parseKeyOrigin,
  parsePathStep,
  parsePublicKey,
  parseWif,
  type WifKey,
} from '../keys/index.ts'
import { type DescriptorCode, malformed, unsupported } from './fault.ts'

/** One path step: a child number, or the alternatives of `<0;1>` (BIP 389). */
export type KeyStep = number | readonly number[]
export type DescriptorKey = Readonly<
  | { type: 'public'; publicKey: Uint8Array; form: 'compressed' | 'uncompressed' | 'x-only' }
  | ({ type: 'wif' } & WifKey)
  | { type: 'extended'; extended: ExtendedKey }
>
/** A key expression: origin, key, path and wildcard. Source: BIP 380, BIP 389. */
export interface KeyExpression {
  readonly origin?: KeyOrigin
  readonly key: DescriptorKey
  readonly path: readonly KeyStep[]
  readonly wildcard: 'none' | 'plain' | 'hardened'
}
type KeyResult<T> = Result<T, Refusal<DescriptorCode>>

export const isPrivateExpression = ({ key }: KeyExpression): boolean =>
  key.type === 'wif' || (key.type === 'extended' && isPrivateKey(key.extended))

/** The public key at the root of the expression; x-only keys have 32 bytes. */
export const rootKey = ({ key }: KeyExpression): Uint8Array =>
  key.type === 'extended' ? key.extended.publicKey : key.publicKey

/** Undefined for plain hex keys: they do not say it. */
export const expressionNetwork = ({ key }: KeyExpression): KeyNetwork | undefined =>
  key.type === 'wif'
    ? key.network
    : key.type === 'extended'
      ? key.extended.version.network
      : undefined

/** How many descriptors a multipath step stands for; 1 without one. */
export const branchCount = ({ path }: KeyExpression): number =>
  path.reduce<number>((count, step) => (typeof step === 'number' ? count : step.length), 1)

/** The steps of one branch. */
export const branchPath = ({ path }: KeyExpression, branch: number): number[] =>
  path.map((step) => (typeof step === 'number' ? step : (step[branch] ?? 0)))

/** True when a step has to be hardened: only private keys can go there. */
export const needsPrivateKey = ({ path, wildcard }: KeyExpression): boolean =>
  wildcard === 'hardened' ||
  path.some((step) => (typeof step === 'number' ? isHardened(step) : step.some(isHardened)))

/** Compares the points, so that x-only, compressed and private forms of one key are the same. */
export function isSameKey(a: KeyExpression, b: KeyExpression): boolean {
  const [x, y] = [a, b].map((expression) => {
    const key = rootKey(expression)
    return key.length === 32 ? key : key.subarray(1, 33)
  })
  return x !== undefined && y !== undefined && equalBytes(x, y)
}

function parseHexKey(text: string, position: number): KeyResult<DescriptorKey> {
  const bytes = tryFromHex(text)
  if (!bytes) return malformed(position, 'a key that is not hex')
  if (bytes.length === 32) {
    const isKey = parsePublicKey(Uint8Array.of(2, ...bytes)) !== undefined
    if (!isKey) return malformed(position, 'an x-only key that is no point of the curve')
    return ok({ type: 'public', publicKey: bytes, form: 'x-only' })
  }
  if (bytes[0] === 6 || bytes[0] === 7) return malformed(position, 'a hybrid public key')
  if (!parsePublicKey(bytes)) return malformed(position, 'a key that is no point of the curve')
  const form = bytes.length === 33 ? 'compressed' : 'uncompressed'
  return ok({ type: 'public', publicKey: bytes, form })
}

/** Never repeats the text in the refusal: it may be a private key with one wrong letter. */
function parseKeyText(text: string, position: number): KeyResult<DescriptorKey> {
  if (text.length === 0) return malformed(position, 'a key is missing')
  if (/^([0-9a-f]{64}|[0-9a-f]{66}|[0-9a-f]{130})$/i.test(text)) return parseHexKey(text, position)
  if (/^[a-zA-Z](pub|prv)/.test(text)) {
    const extended = parseExtendedKey(text)
    if (!extended.ok) return malformed(position, extended.error.message)
    return ok({ type: 'extended', extended: extended.value })
  }
  const wif = parseWif(text)
  if (wif.ok) return ok({ type: 'wif', ...wif.value })
  return malformed(position, 'a key that is neither hex, extended key nor WIF')
}

function parseMultipath(part: string, position: number): KeyResult<number[]> {
  const steps: number[] = []
  for (const text of part.slice(1, -1).split(';')) {
    const step = parsePathStep(text)
    if (!step.ok) return malformed(position, step.error.message)
    if (steps.includes(step.value))
      return malformed(position, `the step ${text} stands twice in ${part}`)
    steps.push(step.value)
  }
  return steps.length < 2 ? malformed(position, `${part} has fewer than two steps`) : ok(steps)
}

type Tail = Pick<KeyExpression, 'path' | 'wildcard'>

function parseTail(parts: readonly string[], start: number): KeyResult<Tail> {
  const path: KeyStep[] = []
  let position = start
  for (const [i, part] of parts.entries()) {
    const wildcard =
      part === '*' ? 'plain' : part === '*h' || part === "*'" ? 'hardened' : undefined
    if (wildcard) {
      return i === parts.length - 1
        ? ok({ path, wildcard })
        : malformed(position, 'the wildcard is not the last step')
    }
    const isMultipath = part.startsWith('<') && part.endsWith('>') && part.length > 1
    if (isMultipath && path.some((step) => typeof step !== 'number')) {
      return malformed(position, 'a key has more than one multipath step')
    }
    const single = isMultipath ? undefined : parsePathStep(part)
    if (single && !single.ok) return malformed(position, single.error.message)
    const several = isMultipath ? parseMultipath(part, position) : undefined
    if (several && !several.ok) return several
    if (single?.ok) path.push(single.value)
    if (several?.ok) path.push(several.value)
    position += part.length + 1
  }
  return ok({ path, wildcard: 'none' })
}

/**
 * Reads one key expression; hardened steps below a public key are taken here (BIP 380 allows to write them) and
 * refused by `parseDescriptor`. `position` is where the text begins, for refusals.
 */
export function parseKeyExpression(text: string, position = 0): KeyResult<KeyExpression> {
  if (text.startsWith('musig(')) return unsupported('musig', position)
  if (/[(){},]/.test(text)) return malformed(position, 'a key expression is expected here')
  const close = text.lastIndexOf(']')
  const origin = close < 0 ? undefined : parseKeyOrigin(text.slice(0, close + 1))
  if (close >= 0 && !text.startsWith('[')) return malformed(position, 'a key origin without [')
  if (origin && !origin.ok) return malformed(position, origin.error.message)
  const keyAt = position + close + 1
  const [keyText = '', ...parts] = text.slice(close + 1).split('/')
  const key = parseKeyText(keyText, keyAt)
  if (!key.ok) return key
  const tailAt = keyAt + keyText.length + 1
  if (parts.length > 0 && key.value.type !== 'extended') {
    return malformed(tailAt, 'a path after a single key')
  }
  const tail = parseTail(parts, tailAt)
  if (!tail.ok) return tail
  const depth = key.value.type === 'extended' ? key.value.extended.depth : 0
  if (depth + parts.length > 255) return malformed(tailAt, 'the path goes below depth 255')
  return ok({ ...(origin?.ok ? { origin: origin.value } : {}), key: key.value, ...tail.value })
}
