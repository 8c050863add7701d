/** The vectors of BIP 174, 370, 371, 373, of Bitcoin Core, HWI and rust-bitcoin. */
import { fromHex, parseBtc, toHex, txid } from '@kaccy/bitcoin/kernel'
import { fingerprintOf, parseKeyPath } from '@kaccy/bitcoin/protocol/keys'
import {
  combinePsbts,
  encodePsbt,
  encodePsbtText,
  finalizeInputs,
  finalizePsbt,
  type Psbt,
  type PsbtInput,
  type PsbtOrigin,
  parsePsbt,
  progressOf,
  takeSignatures,
} from '@kaccy/bitcoin/protocol/psbt'
import { decodeTransaction } from '@kaccy/bitcoin/protocol/transaction'
import { signPsbt } from '@kaccy/bitcoin/testing'
import {
  type Case,
  differs,
  isRecord,
  isTable,
  jsonShape,
  must,
  sections,
  type Verdict,
} from './cases.ts'
import { anySignerFault, checkInvalid, checkValid, masterOf, psbtOf, secretOf } from './psbts.ts'

interface BipRow {
  readonly name: string
  readonly hex: string
  readonly base64: string
  /** Null: cannot be computed. */
  readonly locktime?: number | null
}
const lockTime = ({ base64, locktime = null }: BipRow): Verdict =>
  locktime === null
    ? checkInvalid(base64)
    : differs({ 'lock time': [psbtOf(base64).transaction.lockTime, locktime] })

export const bips = jsonShape<object>(
  (data) =>
    isRecord(data, 'valid', 'invalid') &&
    Object.values(data).every((rows) => isTable(rows, 'name', 'base64', 'hex')),
  (data) =>
    sections(data, {
      valid: ({ base64, hex }: BipRow) => checkValid(base64, hex),
      invalid: ({ base64 }: BipRow) => checkInvalid(base64),
      locktime: lockTime,
      fails_signer_checks: ({ base64 }: BipRow) =>
        anySignerFault(psbtOf(base64)) ? undefined : 'a careful signer would sign',
    }),
)

interface CoreSigner {
  readonly privkeys: readonly string[]
  readonly psbt: string
  readonly result: string
}
/** The rows of Core are those at which its signer leaves everything as it was. */
function coreSigner({ privkeys, psbt, result }: CoreSigner): Verdict {
  if (psbt === result) return anySignerFault(psbtOf(psbt)) ? undefined : 'a signer would sign'
  return differs({
    signed: [encodePsbtText(signPsbt(psbtOf(psbt), privkeys.map(secretOf))), result],
  })
}
interface CoreCombiner {
  readonly combine: readonly string[]
  readonly result: string
}
function combined(texts: readonly string[]): Psbt {
  const [first, ...more] = texts.map(psbtOf)
  if (!first) throw new TypeError('nothing to combine')
  return more.reduce((sum, psbt) => must(combinePsbts(sum, psbt)), first)
}
const coreCombiner = ({ combine, result }: CoreCombiner): Verdict =>
  differs({
    combined: [encodePsbtText(combined(combine)), result],
    reversed: [encodePsbtText(combined([...combine].reverse())), result],
  })

export const core = jsonShape<object>(
  (data) => isRecord(data, 'invalid', 'invalid_with_msg', 'combiner'),
  (data) =>
    sections(data, {
      valid: (text: string) => checkValid(text),
      invalid: checkInvalid,
      invalid_with_msg: ([text]: readonly [string, string]) => checkInvalid(text),
      signer: coreSigner,
      combiner: coreCombiner,
      creator: () => 'a section that used to be empty',
      finalizer: () => 'a section that used to be empty',
      extractor: () => 'a section that used to be empty',
    }),
)

export const hwi = jsonShape<object>(
  (data) => isRecord(data, 'locktimes', 'conflicting_locktimes'),
  (data) =>
    sections(data, {
      valid: (text: string) => checkValid(text),
      invalid: checkInvalid,
      locktimes: ([text, expected]: readonly [string, number]) =>
        differs({ 'lock time': [psbtOf(text).transaction.lockTime, expected] }),
      conflicting_locktimes: checkInvalid,
    }),
)

interface Combine {
  readonly a: string
  readonly b: string
  readonly combined: string
}
export const rustCombine = jsonShape<Combine>(
  (data) => isRecord(data, 'a', 'b', 'combined'),
  function* (data): Generator<Case> {
    const [a, b] = [data.a, data.b].map((hex) => must(parsePsbt(fromHex(hex)))) as [Psbt, Psbt]
    yield [
      'commutative and idempotent',
      () => {
        const both = must(combinePsbts(a, b))
        return differs({
          'a with b': [toHex(encodePsbt(both)), data.combined],
          'b with a': [toHex(encodePsbt(must(combinePsbts(b, a)))), data.combined],
          'once more': [toHex(encodePsbt(must(combinePsbts(both, b)))), data.combined],
        })
      },
    ]
  },
)

interface Workflow {
  readonly master_xprv: string
  readonly inputs: readonly { readonly txid: string; readonly vout: number }[]
  readonly outputs: readonly { readonly scriptPubKey: string; readonly amount: string }[]
  readonly redeem_scripts: readonly string[]
  readonly witness_scripts: readonly string[]
  readonly previous_transactions: readonly string[]
  readonly keys: readonly { readonly pubkey: string; readonly path: string }[]
  readonly signer1_keys: readonly (readonly [string, string])[]
  readonly signer2_keys: readonly (readonly [string, string])[]
  readonly created: string
  readonly updated: string
  readonly updated_with_sighash: string
  readonly signed1: string
  readonly signed2: string
  readonly combined: string
  readonly finalized: string
  readonly extracted_tx: string
}
const NO_FIELDS = { kept: [], origins: [], tapOrigins: [] } as const
const EMPTY = new Uint8Array()

function created({ inputs, outputs }: Workflow): Psbt {
  const transaction = {
    version: 2,
    lockTime: 0,
    inputs: inputs.map(({ txid: id, vout }) => {
      return { txid: txid(id), vout, script: EMPTY, sequence: 0xffffffff, witness: [] }
    }),
    outputs: outputs.map(({ scriptPubKey, amount }) => {
      return { script: fromHex(scriptPubKey), amount: must(parseBtc(amount)) }
    }),
  }
  return {
    version: 0,
    transaction,
    inputs: inputs.map(() => ({ ...NO_FIELDS, signatures: [] })),
    outputs: outputs.map(() => NO_FIELDS),
    xpubs: [],
    kept: [],
  }
}

/** The updater of the BIP: what the example says about its two inputs and outputs. */
function updated(flow: Workflow, sighash?: number): Psbt {
  const psbt = created(flow)
  const fingerprint = fingerprintOf(masterOf(flow.master_xprv).publicKey)
  const origins = flow.keys.map(
    ({ pubkey, path }): PsbtOrigin => ({
      publicKey: fromHex(pubkey),
      fingerprint,
      path: must(parseKeyPath(path)),
    }),
  )
  const asked = sighash === undefined ? {} : { sighash }
  const [first, second] = flow.previous_transactions.map((hex) =>
    must(decodeTransaction(fromHex(hex))),
  )
  const [redeem1 = '', redeem2 = ''] = flow.redeem_scripts
  const [previous, nested] =
    second && first?.outputs.length === 2 && psbt.transaction.inputs[1]?.vout === 1
      ? [second, first]
      : [first, second]
  if (!previous || !nested) throw new TypeError('a workflow without previous transactions')
  const inputs: PsbtInput[] = [
    {
      ...NO_FIELDS,
      ...asked,
      signatures: [],
      previous,
      redeemScript: fromHex(redeem1),
      origins: origins.slice(0, 2),
    },
    {
      ...NO_FIELDS,
      ...asked,
      signatures: [],
      ...(nested.outputs[1] ? { witnessUtxo: nested.outputs[1] } : {}),
      redeemScript: fromHex(redeem2),
      witnessScript: fromHex(flow.witness_scripts[0] ?? ''),
      origins: [...origins.slice(2, 4)].reverse(),
    },
  ]
  const outputs = origins.slice(4).map((origin) => ({ ...NO_FIELDS, origins: [origin] }))
  return { ...psbt, inputs, outputs }
}

const read = (hex: string): Psbt => must(parsePsbt(fromHex(hex)))
const secrets = (keys: Workflow['signer1_keys']) => keys.map(([wif]) => secretOf(wif))

function finished(flow: Workflow): Verdict {
  const { bytes } = must(finalizePsbt(read(flow.combined)))
  return differs({ transaction: [toHex(bytes), flow.extracted_tx] })
}
function taken(flow: Workflow): Verdict {
  const ours = read(flow.updated_with_sighash)
  const one = must(takeSignatures(ours, read(flow.signed1)))
  const two = must(takeSignatures(one.psbt, read(flow.signed2)))
  const progress = progressOf(two.psbt).map(({ have, need }) => `${have}/${need}`)
  return differs({
    added: [one.added + two.added, 4],
    progress: [progress.join(), '2/2,2/2'],
    combined: [toHex(encodePsbt(must(combinePsbts(two.psbt, ours)))), flow.combined],
  })
}

export const workflow = jsonShape<Workflow>(
  (data) => isRecord(data, 'created', 'updated', 'extracted_tx'),
  function* (flow): Generator<Case> {
    const same = (psbt: Psbt, hex: string) => differs({ psbt: [toHex(encodePsbt(psbt)), hex] })
    const { updated_with_sighash: asked } = flow
    yield ['creator', () => same(created(flow), flow.created)]
    yield ['updater', () => same(updated(flow), flow.updated) ?? same(updated(flow, 1), asked)]
    yield ['signer 1', () => same(signPsbt(read(asked), secrets(flow.signer1_keys)), flow.signed1)]
    yield ['signer 2', () => same(signPsbt(read(asked), secrets(flow.signer2_keys)), flow.signed2)]
    yield [
      'combiner',
      () => same(must(combinePsbts(read(flow.signed1), read(flow.signed2))), flow.combined),
    ]
    yield ['signatures taken over', () => taken(flow)]
    yield ['finalizer', () => same(must(finalizeInputs(read(flow.combined))), flow.finalized)]
    yield ['extractor', () => finished(flow)]
  },
)
