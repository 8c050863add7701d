import { fromHex } from '@kaccy/bitcoin/kernel'
import { addressOf } from '@kaccy/bitcoin/protocol/address'
import { expandPolicy, parseDescriptor, scriptAt } from '@kaccy/bitcoin/protocol/descriptor'
import { masterFromSeed } from '@kaccy/bitcoin/protocol/keys'
import {
  finalizePsbt,
  type Psbt,
  progressOf,
  takeSignatures,
  Verifier,
} from '@kaccy/bitcoin/protocol/psbt'
import { SignatureHasher, verifySchnorr } from '@kaccy/bitcoin/protocol/sighash'
import { secretsFor, signPsbt } from '@kaccy/bitcoin/testing'
import { mnemonicToSeedSync } from '@scure/bip39'
import {
  type Case,
  type CaseRecord,
  differs,
  isRecord,
  isTable,
  jsonShape,
  must,
  runShapes,
  type Verdict,
} from '../cases.ts'
import { anySignerFault, checkValid, psbtOf } from '../psbts.ts'

export const topic = 'hardware'

/** The words of the device emulator stand in quotes in the note of the file. */
const masterOf = (note: string) =>
  must(masterFromSeed(mnemonicToSeedSync(/"([a-z ]+)"/.exec(note)?.[1] ?? ''), 'test'))

/** Signed with the keys of the emulator, each input takes the signature and is complete. */
function checkSigned(psbt: Psbt, note: string): Verdict {
  const signed = signPsbt(psbt, secretsFor(psbt, masterOf(note)))
  const taken = must(takeSignatures(psbt, signed))
  const open = progressOf(taken.psbt).filter(({ have, need }) => have < need)
  const { transaction } = must(finalizePsbt(taken.psbt))
  return differs({
    added: [taken.added, psbt.inputs.length],
    open: [open.length, 0],
    inputs: [transaction.inputs.length, psbt.inputs.length],
  })
}
/** Devices sign every hash type that they are asked for; a signature of a part of a transaction is never taken here. */
function checkFile({ name, psbt: text }: Named, note: string): Verdict {
  const verdict = checkValid(text)
  if (verdict !== undefined) return verdict
  const psbt = psbtOf(text)
  const isPart = /sighash-(single|none|.*anyone)/.test(name)
  const fault = anySignerFault(psbt)
  if (!isPart) return fault ?? checkSigned(psbt, note)
  const verifier = new Verifier(psbt)
  const hasNoHash = psbt.inputs.some(
    ({ sighash = 0 }, i) => verifier.taprootDigest(i, sighash) === undefined,
  )
  // SINGLE for an input without output of its number: taproot has no hash for that.
  if (hasNoHash) return differs({ fault: [fault, 'SIGNATURE_SIGHASH'] })
  const taken = takeSignatures(psbt, signPsbt(psbt, secretsFor(psbt, masterOf(note))))
  return differs({
    fault: [fault, 'SIGNATURE_SIGHASH'],
    taken: [taken.ok ? 'taken' : taken.error.code, 'SIGNATURE_SIGHASH'],
  })
}

interface Named {
  readonly name: string
  readonly psbt: string
}
const files = jsonShape<{ readonly note: string; readonly cases: readonly Named[] }>(
  (data) => isRecord(data, 'note', 'cases'),
  function* ({ note, cases }): Generator<Case> {
    for (const file of cases) yield [file.name, () => checkFile(file, note)]
  },
)

interface Signed extends Named {
  readonly sigs: readonly {
    readonly key: string
    readonly tapleaf_hash: string
    readonly sig: string
  }[]
}
/** Both are spent by scripts of a kind that wallets here do not have; what the device signed can be verified nevertheless. */
function checkDevice({ psbt: text, sigs }: Signed): Verdict {
  const verdict = checkValid(text)
  if (verdict !== undefined) return verdict
  const psbt = psbtOf(text)
  const coins = new Verifier(psbt).coins.flatMap(({ coin }) => coin ?? [])
  const hasher = new SignatureHasher(psbt.transaction, coins)
  for (const { key, tapleaf_hash, sig } of sigs) {
    const signature = fromHex(sig)
    const digest = hasher.taproot(0, signature[64] ?? 0, { leafHash: fromHex(tapleaf_hash) })
    if (!digest || !verifySchnorr(signature.subarray(0, 64), digest, fromHex(key))) {
      return 'the signature of the device does not verify'
    }
  }
  if (sigs.length > 0) return undefined
  return differs({ fault: [anySignerFault(psbt), 'script_unknown'] })
}
const devices = jsonShape<readonly Signed[]>(
  (data) => isTable(data, 'policy', 'keys', 'psbt', 'sigs'),
  function* (rows): Generator<Case> {
    for (const row of rows) yield [row.name, () => checkDevice(row)]
  },
)

interface Policy {
  readonly policy: string
  readonly keys: readonly string[]
  readonly threshold?: number
  readonly change?: boolean
  readonly address_index?: number
  readonly address?: string
}
function checkPolicy({ policy, keys, threshold, change, address_index, address }: Policy): Verdict {
  const descriptor = must(parseDescriptor(must(expandPolicy({ template: policy, keys }))))
  const expected = threshold ?? descriptor.threshold
  if (address === undefined) {
    return differs({
      keys: [descriptor.keys.length, keys.length],
      threshold: [descriptor.threshold, expected],
    })
  }
  const script = scriptAt(descriptor, change ? 1 : 0, address_index ?? 0)
  return differs({ address: [must(addressOf(script, 'test')), address] })
}
const policies = jsonShape<readonly Policy[]>(
  (data) => isTable(data, 'policy', 'keys', 'hmac'),
  function* (rows): Generator<Case> {
    for (const [i, row] of rows.entries()) yield [`${i} ${row.policy}`, () => checkPolicy(row)]
  },
)

export const run = (dir: string): AsyncGenerator<CaseRecord> =>
  runShapes(dir, [files, devices, policies])
