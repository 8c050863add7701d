import { fromHex, toHex } from '@kaccy/bitcoin/kernel'
import { verifySchnorr as verifyOurs } from '@kaccy/bitcoin/protocol/sighash'
import { tweakKey, verifySchnorr } from '@kaccy/devnet/script'
import { schnorr } from '@noble/curves/secp256k1.js'
import {
  type Case,
  type CaseRecord,
  differs,
  isRecord,
  jsonShape,
  runShapes,
  type Shape,
  type Verdict,
} from '../cases.ts'

export const topic = 'schnorr'

const COLUMNS = 'index,secret key,public key,aux_rand,message,signature,verification result'

/** Devnet and engine judge the signature; where a secret key stands there, the audited library makes the same one. */
function checkRow(cells: readonly string[]): Verdict {
  const [, secret = '', key = '', random = '', message = '', signature = '', result] = cells.map(
    (cell) => cell.trim(),
  )
  const bytes = { message: fromHex(message), key: fromHex(key), signature: fromHex(signature) }
  const verdict = differs({
    devnet: [verifySchnorr(bytes.signature, bytes.message, bytes.key), result === 'TRUE'],
    engine: [verifyOurs(bytes.signature, bytes.message, bytes.key), result === 'TRUE'],
  })
  if (verdict !== undefined || secret === '') return verdict
  const made = schnorr.sign(bytes.message, fromHex(secret), fromHex(random))
  return differs({
    key: [toHex(schnorr.getPublicKey(fromHex(secret))), key.toLowerCase()],
    signed: [toHex(made), signature.toLowerCase()],
  })
}
const table: Shape = {
  matches: ({ text }) => text.startsWith(COLUMNS),
  *cases({ text }): Generator<Case> {
    for (const line of text.split(/\r?\n/).slice(1)) {
      const cells = line.split(',')
      if (line !== '') yield [cells[0] ?? line, () => checkRow(cells)]
    }
  },
}

interface TweakRow {
  readonly pubkey: string
  readonly tweak: string
  readonly parity: number
  readonly result: string | null
}
function checkTweak({ pubkey, tweak, parity, result }: TweakRow): Verdict {
  const tweaked = tweakKey(fromHex(pubkey), fromHex(tweak))
  if (result === null) return tweaked ? `gave ${toHex(tweaked.key)}, has no result` : undefined
  return differs({
    key: [tweaked && toHex(tweaked.key), result],
    parity: [tweaked && Number(tweaked.isOdd), parity],
  })
}
const tweaks = jsonShape<{ readonly tweakaddvectors: readonly TweakRow[] }>(
  (data) => isRecord(data, 'tweakaddvectors'),
  function* ({ tweakaddvectors }): Generator<Case> {
    for (const [i, row] of tweakaddvectors.entries()) yield [String(i), () => checkTweak(row)]
  },
)

export const run = (dir: string): AsyncGenerator<CaseRecord> => runShapes(dir, [table, tweaks])
