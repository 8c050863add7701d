import { fromHex, toHex } from '@kaccy/bitcoin/kernel'
import { isLowS, isStrictSignature, verifyEcdsa } from '@kaccy/devnet/script'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { createHmacDrbg } from '@noble/curves/utils.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import {
  type Case,
  type CaseRecord,
  differs,
  isRecord,
  jsonShape,
  runShapes,
  sections,
  type Verdict,
} from '../cases.ts'
import { points } from '../points.ts'

export const topic = 'ecdsa'

type Form = 'der' | 'compact'

/** Verification as Bitcoin wants it: strict encoding, low S. Whatever throws is a refusal. */
function verifies(
  form: Form,
  signature: Uint8Array,
  hash: Uint8Array,
  key: Uint8Array,
  lowS = true,
): boolean {
  try {
    return secp256k1.verify(signature, hash, key, { format: form, lowS, prehash: false })
  } catch {
    return false
  }
}
const throws = (operation: () => unknown): Verdict => {
  try {
    operation()
    return 'was taken, has to be refused'
  } catch {
    return undefined
  }
}

interface Test {
  readonly tcId: number
  readonly comment: string
  readonly result: 'valid' | 'invalid' | 'acceptable'
  readonly msg: string
  readonly sig: string
  readonly public: string
  readonly private: string
  readonly shared: string
}
interface Group {
  readonly type: string
  readonly publicKey: { readonly uncompressed: string }
  readonly tests: readonly Test[]
}
const agrees = (test: Test, isTaken: boolean): Verdict =>
  test.result === 'acceptable' || isTaken === (test.result === 'valid')
    ? undefined
    : `${isTaken ? 'taken' : 'refused'}, but it is ${test.result}: ${test.comment}`

const verification = (form: Form, lowS: boolean) => (test: Test, group: Group) => {
  const key = fromHex(group.publicKey.uncompressed)
  const signature = fromHex(test.sig)
  const hash = sha256(fromHex(test.msg))
  const taken = verifies(form, signature, hash, key, lowS)
  if (form === 'der' && takenByDevnet(signature, hash, key) !== taken) {
    return `the devnet ${taken ? 'refuses' : 'takes'} it, the library does not`
  }
  return agrees(test, taken)
}
/** As the devnet asks of every signature in a script: strict, low S, and right. */
const takenByDevnet = (signature: Uint8Array, hash: Uint8Array, key: Uint8Array): boolean =>
  isStrictSignature(Uint8Array.of(...signature, 1)) &&
  isLowS(signature) &&
  verifyEcdsa(signature, hash, key)

/** The only two ways to write a key of this curve: named curve, compressed or not (RFC 5480). */
const KEY_PREFIXES: readonly (readonly [prefix: string, length: number])[] = [
  ['3056301006072a8648ce3d020106052b8104000a034200', 65],
  ['3036301006072a8648ce3d020106052b8104000a032200', 33],
]
function sharedX({ public: spki, private: scalar }: Test): string {
  const [prefix, length] = KEY_PREFIXES.find(([start]) => spki.startsWith(start)) ??
    KEY_PREFIXES[0] ?? ['', 0]
  const key = fromHex(spki.slice(prefix.length))
  if (!spki.startsWith(prefix) || key.length !== length) throw new RangeError('not a named key')
  const secret = fromHex(BigInt(`0x${scalar}`).toString(16).padStart(64, '0'))
  return toHex(secp256k1.getSharedSecret(secret, key).subarray(1))
}
function exchange(test: Test): Verdict {
  try {
    const shared = sharedX(test)
    if (test.result === 'invalid') return agrees(test, true)
    return differs({ shared: [shared, test.shared] })
  } catch {
    return agrees(test, false)
  }
}

const KINDS: Readonly<Record<string, (test: Test, group: Group) => Verdict>> = {
  EcdsaBitcoinVerify: verification('der', true),
  // Compact signatures of other protocols: high S is allowed there.
  EcdsaP1363Verify: verification('compact', false),
  EcdhTest: exchange,
}
const wycheproof = jsonShape<{ readonly testGroups: readonly Group[] }>(
  (data) => isRecord(data, 'algorithm', 'testGroups'),
  function* ({ testGroups }): Generator<Case> {
    for (const group of testGroups) {
      const check = KINDS[group.type]
      for (const test of group.tests) {
        const name = String(test.tcId)
        yield [name, () => (check ? check(test, group) : `${group.type} is not known`)]
      }
    }
  },
)

interface SignedRow {
  readonly d: string
  readonly m: string
  readonly Q: string
  readonly signature: string
  readonly recoveryId?: number
}
const recover = (row: SignedRow, id: number): string => {
  const signature = Uint8Array.of(id, ...fromHex(row.signature))
  return toHex(secp256k1.recoverPublicKey(signature, fromHex(row.m), { prehash: false }))
}
function checkSigned(row: SignedRow): Verdict {
  const secret = fromHex(row.d)
  const key = secp256k1.getPublicKey(secret)
  const again = secp256k1.sign(fromHex(row.m), secret, { prehash: false })
  return differs({
    verified: [verifies('compact', fromHex(row.signature), fromHex(row.m), key), true],
    signed: [toHex(again), row.signature],
    recovered: [recover(row, row.recoveryId ?? 0), toHex(key)],
  })
}
const tiny = jsonShape<object>(
  (data) => isRecord(data, 'valid', 'invalid_verify'),
  (data) =>
    sections(data, {
      valid: checkSigned,
      invalid_verify: (row: SignedRow) =>
        verifies('compact', fromHex(row.signature), fromHex(row.m), fromHex(row.Q))
          ? 'was verified, has to be refused'
          : undefined,
      invalid_sign: (row: SignedRow) =>
        throws(() => secp256k1.sign(fromHex(row.m), fromHex(row.d), { prehash: false })),
      invalid_recover: (row: SignedRow) => {
        const ids = row.recoveryId === undefined ? [0, 1, 2, 3] : [row.recoveryId]
        return ids.map((id) => throws(() => recover(row, id))).find((verdict) => verdict)
      },
    }),
)

interface MessageRow {
  readonly d: string
  readonly message: string
  readonly k0: string
  readonly k1?: string
  readonly k15?: string
  readonly signature: { readonly r: string; readonly s: string }
}
const wide = (hex: string): Uint8Array => fromHex(hex.padStart(64, '0'))
/** An ASN.1 integer, also negative, as no honest signer would write it. */
function derInteger(text: string): number[] {
  const value = text.startsWith('-') ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`)
  let size = 1
  while (BigInt.asIntN(8 * size, value) !== value) size++
  const digits = BigInt.asUintN(8 * size, value).toString(16)
  return [2, size, ...fromHex(digits.padStart(2 * size, '0'))]
}
const derOf = ({ r, s }: MessageRow['signature']): Uint8Array => {
  const body = [...derInteger(r), ...derInteger(s)]
  return Uint8Array.of(0x30, body.length, ...body)
}
const hashOf = ({ message }: MessageRow): Uint8Array => sha256(new TextEncoder().encode(message))

function checkMessage(row: MessageRow): Verdict {
  const secret = wide(row.d)
  const signature = secp256k1.sign(hashOf(row), secret, { prehash: false })
  const key = secp256k1.getPublicKey(secret)
  return differs({
    verified: [verifies('der', derOf(row.signature), hashOf(row), key), true],
    signed: [toHex(signature), row.signature.r + row.signature.s],
  })
}
const ORDER = secp256k1.Point.Fn.ORDER
/** What the library's generator of nonces gives at these places of its sequence. Source: RFC 6979, 3.2. */
function candidates(row: MessageRow, places: readonly number[]): readonly string[] {
  const hash = BigInt(`0x${toHex(hashOf(row))}`) % ORDER
  const seed = fromHex(toHex(wide(row.d)) + hash.toString(16).padStart(64, '0'))
  const all: string[] = []
  const last = Math.max(...places)
  const next = createHmacDrbg<Uint8Array>(32, 32, (key: Uint8Array, message: Uint8Array) =>
    hmac(sha256, key, message),
  )
  next(seed, (candidate) => {
    all.push(toHex(candidate))
    return all.length > last ? candidate : undefined
  })
  return places.map((place) => all[place] ?? '')
}
/** The first nonce shows in the signature that is made with it; the next ones are there for when it must not be used. */
function checkNonce(row: MessageRow): Verdict {
  const signature = secp256k1.sign(hashOf(row), wide(row.d), { prehash: false })
  const r = toHex(secp256k1.getPublicKey(fromHex(row.k0))).slice(2)
  const [k0, k1, k15] = candidates(row, [0, 1, 15])
  return differs({
    r: [toHex(signature).slice(0, 64), r],
    k0: [k0, row.k0],
    k1: [k1, row.k1 ?? k1],
    k15: [k15, row.k15 ?? k15],
  })
}
const messages = jsonShape<{ readonly valid: object; readonly invalid: object }>(
  ({ valid, invalid }) => isRecord(valid, 'ecdsa') && isRecord(invalid, 'verify'),
  function* ({ valid, invalid }): Generator<Case> {
    yield* sections(valid, { ecdsa: checkMessage, rfc6979: checkNonce })
    yield* sections(invalid, {
      verify: (row: MessageRow) => {
        const key = secp256k1.getPublicKey(wide(row.d))
        return verifies('der', derOf(row.signature), hashOf(row), key)
          ? 'was verified, has to be refused'
          : undefined
      },
    })
  },
)

export const run = (dir: string): AsyncGenerator<CaseRecord> =>
  runShapes(dir, [wycheproof, tiny, points, messages])
