/**
 * Job 5 of the reference: build, sign, verify and complete a payout of 200 outputs and a transaction of 100 inputs. Both
 * sides use the same curve library, so the ratio is the work around it: hashing, scripts, containers.
 */
import { sat, type Txid } from '@kaccy/bitcoin/kernel'
import { type Descriptor, parseDescriptor, scriptAt } from '@kaccy/bitcoin/protocol/descriptor'
import {
  derivePrivate,
  masterFromSeed,
  printExtendedPublicKey,
  publicKeyOf,
} from '@kaccy/bitcoin/protocol/keys'
import {
  createPsbt,
  encodePsbt,
  finalizePsbt,
  finalizingPsbt,
  parsePsbt,
  type Psbt,
  takeSignatures,
  takingSignatures,
} from '@kaccy/bitcoin/protocol/psbt'
import { p2pkhScript, p2wpkhScript } from '@kaccy/bitcoin/protocol/script'
import { SignatureHasher } from '@kaccy/bitcoin/protocol/sighash'
import { encodeTransaction, type Transaction, txidOf } from '@kaccy/bitcoin/protocol/transaction'
import { secretsFor, signPsbt } from '@kaccy/bitcoin/testing'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { Psbt as PeerPsbt, Transaction as PeerTransaction } from 'bitcoinjs-lib'
import { costLine, type Report, rateLine, rates } from '../measure.ts'

export const name = 'psbt'

function must<T>(result: { ok: true; value: T } | { ok: false; error: { message: string } }): T {
  if (!result.ok) throw new TypeError(result.error.message)
  return result.value
}
const master = must(masterFromSeed(new Uint8Array(32).fill(5), 'test'))
const account = must(derivePrivate(master, [0x8000_0054, 0x8000_0001, 0x8000_0000]))
const descriptor: Descriptor = must(
  parseDescriptor(`wpkh(${printExtendedPublicKey(publicKeyOf(account))}/<0;1>/*)`),
)
const EMPTY = new Uint8Array()

interface Job {
  readonly build: () => Psbt
  readonly secrets: readonly Uint8Array[]
}
function jobOf(inputs: number, outputs: number): Job {
  const coins = Array.from({ length: inputs }, (_, i) => {
    const script = scriptAt(descriptor, 0, i)
    const funding: Transaction = {
      version: 2,
      inputs: [{ txid: 'e'.repeat(64) as Txid, vout: i, script: EMPTY, sequence: 0, witness: [] }],
      outputs: [{ amount: sat(1_000_000n), script }],
      lockTime: 0,
    }
    const previous = encodeTransaction(funding)
    return {
      descriptor,
      branch: 0,
      index: i,
      amount: sat(1_000_000n),
      script,
      previous,
      txid: txidOf(funding),
    }
  })
  const transaction: Transaction = {
    version: 2,
    inputs: coins.map(({ txid }) => {
      return { txid, vout: 0, script: EMPTY, sequence: 0xfffffffd, witness: [] }
    }),
    outputs: Array.from({ length: outputs }, (_, i) => {
      return { amount: sat(4_000n), script: p2wpkhScript(new Uint8Array(20).fill(i)) }
    }),
    lockTime: 0,
  }
  const build = () =>
    createPsbt({ transaction, inputs: coins, outputs: transaction.outputs.map(() => ({})) })
  const psbt = build()
  // An extended key without origin: the keys are below the account itself.
  return { build, secrets: secretsFor(psbt, account) }
}

/** Build, write, read what the signer hands back, verify every signature, complete. Signing is the signer's. */
const ours =
  ({ build }: Job, signed: Uint8Array) =>
  (): number => {
    const psbt = build()
    encodePsbt(psbt)
    const { psbt: collected } = must(takeSignatures(psbt, must(parsePsbt(signed))))
    must(finalizePsbt(collected))
    return 1
  }

const verify = (key: Uint8Array, hash: Uint8Array, signature: Uint8Array): boolean =>
  secp256k1.verify(signature, hash, key, { prehash: false })

/** The same with bitcoinjs-lib: read what was built, put the signatures in, verify twice as we do, complete. */
const peer = (unsigned: Uint8Array, signed: Uint8Array) => (): number => {
  const psbt = PeerPsbt.fromBuffer(unsigned)
  psbt.toBuffer()
  psbt.combine(PeerPsbt.fromBuffer(signed))
  psbt.validateSignaturesOfAllInputs(verify)
  psbt.validateSignaturesOfAllInputs(verify)
  psbt.finalizeAllInputs()
  psbt.extractTransaction(true).toBuffer()
  return 1
}

/** The hashes that all inputs sign: what they share is hashed once by us, and once an input by others. */
function hashing(psbt: Psbt) {
  const { transaction } = psbt
  const scripts = psbt.inputs.map(({ witnessUtxo }) => {
    const program = witnessUtxo?.script.subarray(2) ?? new Uint8Array(20)
    return p2pkhScript(program)
  })
  const raw = encodeTransaction(transaction)
  return {
    ourHashes(): number {
      const hasher = new SignatureHasher(transaction)
      for (const [i, script] of scripts.entries()) hasher.segwit(i, script, 1_000_000n, 1)
      return 1
    },
    peerHashes(): number {
      const peer = PeerTransaction.fromBuffer(raw)
      for (const [i, script] of scripts.entries()) peer.hashForWitnessV0(i, script, 1_000_000n, 1)
      return 1
    },
  }
}

/** The longest that one step of the two generators holds the event loop, in milliseconds. */
function longestStep(job: Job, signed: Uint8Array): number {
  const psbt = job.build()
  let longest = 0
  let start = performance.now()
  const lap = () => {
    longest = Math.max(longest, performance.now() - start)
    start = performance.now()
  }
  const run = <T>(steps: Generator<void, T, void>): T => {
    for (;;) {
      const step = steps.next()
      lap()
      if (step.done) return step.value
    }
  }
  const { psbt: collected } = must(run(takingSignatures(psbt, must(parsePsbt(signed)))))
  must(run(finalizingPsbt(collected)))
  return longest
}

export async function run(report: Report): Promise<void> {
  for (const [inputs, outputs] of [
    [1, 200],
    [100, 2],
  ] as const) {
    const job = jobOf(inputs, outputs)
    const unsigned = encodePsbt(job.build())
    const signed = encodePsbt(signPsbt(job.build(), job.secrets))
    const { build } = job
    const read = () => Number(must(parsePsbt(signed)).inputs.length > 0)
    const peerRead = () => Number(PeerPsbt.fromBuffer(signed).inputCount > 0)
    const measured = await rates(
      {
        ours: ours(job, signed),
        peer: peer(unsigned, signed),
        build: () => Number(encodePsbt(build()).length > 0),
        read,
        peerRead,
        ...hashing(job.build()),
      },
      { rounds: 3 },
    )
    const what = `${inputs} in, ${outputs} out`
    const cost = (rate: number) => 1000 / rate
    const line = (text: string, rate: number, baseline: string, other: number) =>
      report(costLine(`${what}: ${text}`, 'ms', cost(rate), baseline, cost(other)))
    line('build, verify twice, complete', measured.ours, 'bitcoinjs-lib, same curve', measured.peer)
    line('read', measured.read, 'bitcoinjs-lib', measured.peerRead)
    line('hash what all inputs sign', measured.ourHashes, 'bitcoinjs-lib', measured.peerHashes)
    report(
      rateLine(`${what}: build and write`, 'PSBTs/s', measured.build, 'whole job', measured.ours),
    )
    const held = Math.min(...[1, 2, 3].map(() => longestStep(job, signed)))
    report(costLine(`${what}: longest step`, 'ms', held, 'whole job', cost(measured.ours)))
  }
}
