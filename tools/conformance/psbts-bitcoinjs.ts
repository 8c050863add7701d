/** The fixtures of bitcoinjs-lib about PSBTs. Its words for errors are its own; what has to be refused is the same. */
import { fromHex, sat, toHex, txid } from '@kaccy/bitcoin/kernel'
import {
  combinePsbts,
  encodePsbtText,
  finalizeInputs,
  type Psbt,
  type PsbtInput,
  takeSignatures,
  Verifier,
} from '@kaccy/bitcoin/protocol/psbt'
import { p2trScript, p2wshOf } from '@kaccy/bitcoin/protocol/script'
import type { TransactionOutput } from '@kaccy/bitcoin/protocol/transaction'
import { secretsFor, signPsbt } from '@kaccy/bitcoin/testing'
import { differs, isRecord, isTable, jsonShape, must, sections, type Verdict } from './cases.ts'
import {
  checkInvalid,
  checkValid,
  masterOf,
  psbtOf,
  secretOf,
  signerFault,
  withoutSpareMap,
} from './psbts.ts'

const SCRIPT_PATH =
  'a coin spent by a script of its taproot tree; wallets here use the key path only'
const ARGUMENTS = 'is about arguments of a builder that our types do not let through'
const UNTRUE =
  'has a signature or key that is not that of its coin: bitcoinjs-lib completes it all the same, this engine refuses'
const TREE = 'is about adding a leaf script to an input; wallets here use the key path only'

interface File {
  readonly description?: string
  readonly psbt: string
  readonly result?: string
  readonly inputToCheck?: number
}
interface Updater extends File {
  readonly inputData?: readonly { readonly sighashType: number }[]
  readonly outputData?: readonly {
    readonly tapInternalKey: string
    readonly tapTree: { readonly leaves: readonly Leaf[] }
  }[]
}
interface Leaf {
  readonly depth: number
  readonly leafVersion: number
  readonly script: string
}
/** `Buffer.from('00', 'hex')`. */
const bytesOf = (text: string): Uint8Array => fromHex(/'([0-9a-f]*)'/.exec(text)?.[1] ?? 'x')

function updater({ psbt, inputData = [], outputData = [], result }: Updater): Verdict {
  const before = psbtOf(psbt)
  const inputs = before.inputs.map((input, i) => {
    const sighash = inputData[i]?.sighashType
    return sighash === undefined ? input : { ...input, sighash }
  })
  const outputs = before.outputs.map((output, i) => {
    const data = outputData[i]
    if (!data) return output
    const tapTree = data.tapTree.leaves.flatMap(({ depth, leafVersion, script }) => {
      const code = bytesOf(script)
      return [depth, leafVersion, code.length, ...code]
    })
    const tapInternalKey = bytesOf(data.tapInternalKey)
    return { ...output, tapInternalKey, tapTree: Uint8Array.from(tapTree) }
  })
  return differs({ updated: [encodePsbtText({ ...before, inputs, outputs }), result] })
}

interface Signer extends File {
  readonly keys: readonly { readonly inputToSign: number; readonly WIF: string }[]
}
/** ECDSA signatures are the same bytes; those of taproot are random and have to verify. */
function signer({ psbt, keys, result = '' }: Signer): Verdict {
  const before = psbtOf(psbt)
  if (before.inputs.some(({ kept }) => kept.some(({ type }) => type === 0x15))) {
    return { skip: SCRIPT_PATH }
  }
  const signed = signPsbt(
    before,
    keys.map(({ WIF }) => secretOf(WIF)),
  )
  const expected = psbtOf(result)
  const taken = must(takeSignatures(before, expected))
  const isEcdsaSame = signed.inputs.every(
    ({ signatures }, i) =>
      signatures.map(({ signature }) => toHex(signature)).join() ===
      expected.inputs[i]?.signatures.map(({ signature }) => toHex(signature)).join(),
  )
  return differs({
    taken: [taken.added, keys.length],
    'signed by us and taken': [must(takeSignatures(before, signed)).added, keys.length],
    'the same ECDSA signatures': [isEcdsaSame, true],
  })
}

/** Rows whose signature is none of their transaction, or whose internal key is none of their coin, are not completed here. */
function finalizer({ psbt, result }: File): Verdict {
  const complete = finalizeInputs(psbtOf(psbt))
  if (complete.ok) return differs({ finalized: [encodePsbtText(complete.value), result] })
  const { code, details } = complete.error
  const isUntrue = code === 'SIGNATURE_INVALID' || details['fault'] === 'script_mismatch'
  return isUntrue ? { skip: UNTRUE } : complete.error.message
}

const failing = ({ psbt, inputToCheck = 0 }: File): Verdict =>
  signerFault(psbtOf(psbt), inputToCheck) ? undefined : 'a careful signer would sign'

export const bitcoinjsBip174 = jsonShape<object>(
  (data) => isRecord(data, 'failSignChecks', 'updater', 'finalizer'),
  (data) =>
    sections(data, {
      valid: ({ psbt }: File) => checkValid(psbt),
      invalid: ({ psbt }: File) => checkInvalid(psbt),
      failSignChecks: failing,
      updater,
      signer,
      combiner: ({ psbts, result }: { psbts: readonly [string, string]; result: string }) =>
        differs({
          combined: [
            encodePsbtText(must(combinePsbts(psbtOf(psbts[0]), psbtOf(psbts[1])))),
            result,
          ],
        }),
      finalizer,
      creator: () => 'a section that used to be empty',
      extractor: () => 'a section that used to be empty',
    }),
)

export const bitcoinjsFinalize = jsonShape<readonly (File & { readonly type: string })[]>(
  (data) => isTable(data, 'type', 'psbt', 'result'),
  function* (rows) {
    for (const row of rows) yield [row.type, () => finalizer(row)]
  },
)

interface Try {
  readonly psbt: string
  readonly inputToCheck: number
  readonly WIF?: string
  readonly xprv?: string
  readonly sighashTypes?: readonly number[]
  readonly result?: string
}
interface SignRow {
  readonly shouldSign?: Try
  readonly shouldThrow?: Try
}
/** How many signatures come over from a signer that asks nothing; the refusal where one is refused. */
function signed({ psbt, inputToCheck, WIF, xprv, sighashTypes, result }: Try): string {
  const before = psbtOf(withoutSpareMap(psbt))
  const fault = signerFault(before, inputToCheck)
  if (fault !== undefined && sighashTypes === undefined) return fault
  const secrets = WIF ? [secretOf(WIF)] : xprv ? secretsFor(before, masterOf(xprv)) : []
  const after = result ? psbtOf(result) : signPsbt(before, secrets)
  const taken = takeSignatures(before, after)
  return taken.ok ? `${taken.value.added} taken` : taken.error.code
}
/** Other hash types than ALL and DEFAULT are never taken here, whoever asks: those rows have to end in that refusal. */
function signInput({ shouldSign, shouldThrow }: SignRow): Verdict {
  if (shouldThrow) {
    const verdict = signed(shouldThrow)
    if (verdict.endsWith('1 taken')) return 'a careful signer would sign'
  }
  if (!shouldSign) return undefined
  const expected = shouldSign.sighashTypes ? 'SIGNATURE_SIGHASH' : '1 taken'
  return differs({ signed: [signed(shouldSign), expected] })
}

interface AddInput {
  readonly inputData: {
    readonly hash: string
    readonly index: number
    readonly witnessScript?: string
    readonly redeemScript?: string
    readonly tapInternalKey?: string
    readonly tapLeafScript?: unknown
  }
  readonly equals?: string
}
function oneInput(row: AddInput, fields: Partial<PsbtInput>): Psbt {
  const { hash, index } = row.inputData
  const id = txid(toHex(bytesOf(hash).reverse()))
  const spends = {
    txid: id,
    vout: index,
    script: new Uint8Array(),
    sequence: 0xffffffff,
    witness: [],
  }
  return {
    version: 0,
    transaction: { version: 2, lockTime: 0, inputs: [spends], outputs: [] },
    inputs: [{ kept: [], origins: [], tapOrigins: [], signatures: [], ...fields }],
    outputs: [],
    xpubs: [],
    kept: [],
  }
}
function ruleFault(psbt: Psbt): Verdict {
  const spendable = new Verifier(psbt).spendable(0)
  return 'reason' in spendable ? undefined : 'a careful signer would sign'
}
const coin = (script: Uint8Array): TransactionOutput => ({ amount: sat(1000n), script })
function addInput(row: AddInput): Verdict {
  const { witnessScript, redeemScript, tapInternalKey, tapLeafScript } = row.inputData
  if (row.equals) {
    const expected = withoutSpareMap(row.equals)
    return differs({ psbt: [encodePsbtText(oneInput(row, {})), expected] })
  }
  if (tapLeafScript) return { skip: TREE }
  if (witnessScript) {
    const script = bytesOf(witnessScript)
    return ruleFault(oneInput(row, { witnessScript: script, witnessUtxo: coin(p2wshOf(script)) }))
  }
  const script = p2trScript(new Uint8Array(32).fill(1))
  const fields = { redeemScript: bytesOf(redeemScript ?? ''), witnessUtxo: coin(script) }
  return ruleFault(oneInput(row, { ...fields, tapInternalKey: bytesOf(tapInternalKey ?? '') }))
}

export const bitcoinjsChecks = jsonShape<object>(
  (data) => isRecord(data, 'signInput', 'addInput', 'addOutput'),
  (data) =>
    sections(data, {
      signInput,
      signInputHD: signInput,
      addInput,
      addOutput: () => ({ skip: ARGUMENTS }),
    }),
)
