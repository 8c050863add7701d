import { toHex } from '@kaccy/bitcoin/kernel'
import {
  combinePsbts,
  encodePsbt,
  finalizeInputs,
  finalizePsbt,
  type PartialSignature,
  type Psbt,
  type PsbtInput,
  progressOf,
  takeSignatures,
  takingSignatures,
} from '@kaccy/bitcoin/protocol/psbt'
import { secretsFor, signPsbt } from '@kaccy/bitcoin/testing'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { describe, expect, it } from 'vitest'
import { MASTERS, must, type Plan, WALLETS, type Wallet, withdrawalOf } from './wallets.ts'

const PLAN: Plan = {
  coins: [
    { branch: 0, index: 3, vout: 1 },
    { branch: 1, index: 4, vout: 0 },
  ],
  payments: [{ seed: 5, amount: 70_000 }],
  changeIndex: 9,
  rate: 7,
  version: 0,
  lockTime: 0,
  xpubs: false,
  hasPrevious: true,
}
const kind = (name: string): Wallet => {
  const wallet = WALLETS.find((one) => one.name === name)
  if (!wallet) throw new TypeError(name)
  return wallet
}
const SINGLE = kind('wpkh')
const MULTI = kind('wsh(sortedmulti)')
const TAPROOT = kind('tr')
const psbtOf = (wallet: Wallet, more: Partial<Plan> = {}): Psbt =>
  withdrawalOf(wallet, { ...PLAN, ...more }).psbt
const signedBy = (psbt: Psbt, signer: number): Psbt => {
  const master = MASTERS[signer]
  if (!master) throw new TypeError('no such signer')
  return signPsbt(psbt, secretsFor(psbt, master))
}
const withInput = (psbt: Psbt, index: number, change: (input: PsbtInput) => PsbtInput): Psbt => ({
  ...psbt,
  inputs: psbt.inputs.map((input, i) => (i === index ? change(input) : input)),
})
const withSignature = (psbt: Psbt, change: (item: PartialSignature) => PartialSignature): Psbt =>
  withInput(psbt, 0, (input) => ({ ...input, signatures: input.signatures.map(change) }))
const code = (ours: Psbt, theirs: Psbt): string => {
  const taken = takeSignatures(ours, theirs)
  return taken.ok ? `${taken.value.added} taken` : taken.error.code
}
const STRANGER = new Uint8Array(32).fill(77)

describe('signatures of others', () => {
  it.each(WALLETS)('of another transaction are refused: $name', (wallet) => {
    const ours = psbtOf(wallet)
    for (const more of [
      { lockTime: 5 },
      { rate: 8 },
      { payments: [{ seed: 6, amount: 70_000 }] },
    ]) {
      const theirs = signedBy(psbtOf(wallet, more), 0)
      expect(code(ours, theirs)).toBe('PSBT_DIFFERENT_TRANSACTION')
      const relabelled = { ...theirs, transaction: ours.transaction }
      expect(code(ours, relabelled)).toBe('SIGNATURE_INVALID')
    }
  })

  it('bring nothing but themselves over', () => {
    const ours = psbtOf(MULTI)
    const theirs = withInput(signedBy(ours, 1), 0, (input) => ({
      ...input,
      sighash: 3,
      witnessScript: Uint8Array.of(1),
      origins: [],
      kept: [{ type: 0xf0, key: Uint8Array.of(0xf0), value: Uint8Array.of(1) }],
    }))
    const { psbt, added, signatures } = must(
      takeSignatures(ours, { ...theirs, outputs: [], xpubs: [] }),
    )
    expect(added).toBe(2)
    expect(new Set(signatures.map(({ fingerprint }) => fingerprint)).size).toBe(1)
    const bare = withInput(withInput(psbt, 0, strip), 1, strip)
    expect(toHex(encodePsbt(bare))).toBe(toHex(encodePsbt(ours)))
  })
  const strip = (input: PsbtInput): PsbtInput => ({ ...input, signatures: [] })

  it('of a key outside the script are foreign, although they are good', () => {
    const ours = psbtOf(MULTI)
    const stranger = secp256k1.getPublicKey(STRANGER, true)
    const theirs = withSignature(signedBy(ours, 0), (item) => ({ ...item, publicKey: stranger }))
    expect(code(ours, theirs)).toBe('SIGNATURE_FOREIGN')
    const single = withSignature(signedBy(psbtOf(SINGLE), 0), (item) => {
      return { ...item, publicKey: stranger }
    })
    expect(code(psbtOf(SINGLE), single)).toBe('SIGNATURE_FOREIGN')
  })

  it('are verified with our amounts, not with theirs', () => {
    const ours = psbtOf(SINGLE, { hasPrevious: false })
    const lied = withInput(ours, 0, (input) => {
      const { witnessUtxo } = input
      if (!witnessUtxo) throw new TypeError('no coin')
      return {
        ...input,
        witnessUtxo: { ...witnessUtxo, amount: (witnessUtxo.amount - 1n) as never },
      }
    })
    expect(code(ours, signedBy(lied, 0))).toBe('SIGNATURE_INVALID')
    expect(code(ours, signedBy(ours, 0))).toBe('2 taken')
  })

  it.each([SINGLE, MULTI, TAPROOT])(
    'that cover less than everything are refused: $name',
    (wallet) => {
      const ours = psbtOf(wallet)
      for (const hashType of [0x02, 0x03, 0x81, 0x82, 0x83]) {
        const master = MASTERS[0]
        if (!master) throw new TypeError('no signer')
        const theirs = signPsbt(ours, secretsFor(ours, master), { hashType })
        expect(takeSignatures(ours, theirs)).toMatchObject({
          error: { code: 'SIGNATURE_SIGHASH', details: { input: 0, sighash: hashType } },
        })
      }
    },
  )

  it('of taproot are taken with DEFAULT and with ALL, and with what was asked for alone', () => {
    const ours = psbtOf(TAPROOT)
    const master = MASTERS[0]
    if (!master) throw new TypeError('no signer')
    const all = signPsbt(ours, secretsFor(ours, master), { hashType: 1 })
    expect(code(ours, all)).toBe('2 taken')
    const asked = withInput(ours, 0, (input) => ({ ...input, sighash: 0 }))
    expect(code(asked, all)).toBe('SIGNATURE_SIGHASH')
    expect(code(asked, signedBy(ours, 0))).toBe('2 taken')
    const spelt = withInput(signedBy(ours, 0), 0, (input) => ({
      ...input,
      tapSignature: Uint8Array.of(...(input.tapSignature ?? []), 0),
    }))
    expect(code(ours, spelt)).toBe('SIGNATURE_INVALID')
  })

  it('of a leaf script are foreign to a wallet that has none', () => {
    const ours = psbtOf(TAPROOT)
    const key = Uint8Array.of(0x14, ...new Array<number>(64).fill(1))
    const pair = { type: 0x14, key, value: new Uint8Array(64) }
    const theirs = withInput(ours, 1, (input) => ({ ...input, kept: [pair] }))
    expect(code(ours, theirs)).toBe('SIGNATURE_FOREIGN')
  })

  it('with a high S are refused: no node relays them', () => {
    const ours = psbtOf(SINGLE)
    const theirs = withSignature(signedBy(ours, 0), (item) => {
      const low = secp256k1.Signature.fromBytes(item.signature.subarray(0, -1), 'der')
      const high = new secp256k1.Signature(low.r, secp256k1.Point.Fn.neg(low.s))
      return { ...item, signature: Uint8Array.of(...high.toBytes('der'), 1) }
    })
    expect(code(ours, theirs)).toBe('SIGNATURE_INVALID')
  })

  it('make the same PSBT in whatever order they come', () => {
    const ours = psbtOf(MULTI)
    const orders = [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
    ]
    const ends = orders.map((order) => {
      const all = order.reduce(
        (sum, one) => must(takeSignatures(sum, signedBy(ours, one))).psbt,
        ours,
      )
      return toHex(encodePsbt(all))
    })
    expect(new Set(ends).size).toBe(1)
  })

  it('are all or none: one bad one refuses the good ones beside it', () => {
    const ours = psbtOf(MULTI)
    const good = signedBy(ours, 0)
    const bad = signedBy({ ...ours, transaction: { ...ours.transaction, lockTime: 9 } }, 1)
    const mixed = withInput(good, 1, () => bad.inputs[1] as PsbtInput)
    expect(code(ours, mixed)).toBe('SIGNATURE_INVALID')
    expect(progressOf(ours).every(({ have }) => have === 0)).toBe(true)
  })

  it('yield after each one, so that many need not block', () => {
    const ours = psbtOf(MULTI)
    const steps = takingSignatures(ours, signedBy(ours, 0))
    let count = 0
    while (!steps.next().done) count += 1
    expect(count).toBe(2)
  })
})

describe('two good signatures of one key', () => {
  it('combine to the same one whoever comes first', () => {
    const ours = psbtOf(TAPROOT)
    const one = signedBy(ours, 0)
    const master = MASTERS[0]
    if (!master) throw new TypeError('no signer')
    const two = signPsbt(ours, secretsFor(ours, master), { hashType: 1 })
    const both = toHex(encodePsbt(must(combinePsbts(one, two))))
    expect(toHex(encodePsbt(must(combinePsbts(two, one))))).toBe(both)
    const [single, other] = [signedBy(psbtOf(SINGLE), 0), signedBy(psbtOf(SINGLE), 0)]
    const changed = withSignature(other, (item) => {
      return { ...item, signature: Uint8Array.of(...item.signature.slice(0, -1), 2) }
    })
    const joined = toHex(encodePsbt(must(combinePsbts(single, changed))))
    expect(toHex(encodePsbt(must(combinePsbts(changed, single))))).toBe(joined)
  })

  it('add nothing to each other: the one that is there stays', () => {
    const ours = signedBy(psbtOf(TAPROOT), 0)
    const master = MASTERS[0]
    if (!master) throw new TypeError('no signer')
    const again = signPsbt(ours, secretsFor(ours, master), { hashType: 1 })
    const { psbt, added } = must(takeSignatures(ours, again))
    expect(added).toBe(0)
    expect(toHex(encodePsbt(psbt))).toBe(toHex(encodePsbt(ours)))
  })
})

describe('completed inputs', () => {
  it.each(WALLETS)('are taken apart, and complete again to the same bytes: $name', (wallet) => {
    const ours = psbtOf(wallet)
    const signed = [0, 1].slice(0, wallet.threshold).reduce(signedBy, ours)
    const complete = must(finalizeInputs(signed))
    const taken = must(takeSignatures(ours, complete))
    expect(taken.added).toBe(2 * wallet.threshold)
    expect(toHex(must(finalizePsbt(taken.psbt)).bytes)).toBe(
      toHex(must(finalizePsbt(signed)).bytes),
    )
    expect(toHex(must(finalizePsbt(complete)).bytes)).toBe(toHex(must(finalizePsbt(signed)).bytes))
    expect(progressOf(complete).map(({ have, need }) => have === need)).toEqual([true, true])
  })

  it('that show another script, or signatures in another order, are refused', () => {
    const ours = psbtOf(MULTI)
    const complete = must(finalizeInputs([0, 1].reduce(signedBy, ours)))
    const turned = withInput(complete, 0, (input) => {
      const [empty, one, two, script] = input.finalWitness ?? []
      const finalWitness = [empty, two, one, script].map((item) => item ?? new Uint8Array())
      return { ...input, finalWitness }
    })
    expect(code(ours, turned)).toBe('SIGNATURE_INVALID')
    const other = withInput(complete, 0, (input) => {
      const finalWitness = [...(input.finalWitness ?? []).slice(0, -1), Uint8Array.of(0x51)]
      return { ...input, finalWitness }
    })
    expect(code(ours, other)).toBe('SIGNATURE_INVALID')
    const more = withInput(complete, 0, (input) => {
      return { ...input, finalScript: Uint8Array.of(0) }
    })
    expect(code(ours, more)).toBe('SIGNATURE_INVALID')
  })
})

describe('completing', () => {
  it('says how many signatures an input has and needs, and who is missing', () => {
    const ours = psbtOf(MULTI)
    const one = must(takeSignatures(ours, signedBy(ours, 2))).psbt
    expect(finalizePsbt(one)).toMatchObject({
      error: { code: 'PSBT_INCOMPLETE', details: { input: 0, have: 1, need: 2 } },
    })
    const fingerprints = (ours.inputs[0]?.origins ?? []).map(({ fingerprint }) => fingerprint)
    const [progress] = progressOf(one)
    expect(progress).toMatchObject({ have: 1, need: 2 })
    expect(progress?.missing.length).toBe(2)
    expect(progress?.missing.every((missing) => fingerprints.includes(missing))).toBe(true)
  })

  it('uses two of three signatures, whichever came first', () => {
    const ours = psbtOf(MULTI)
    const all = [2, 0, 1].reduce(signedBy, ours)
    const other = [1, 2, 0].reduce(signedBy, ours)
    const { transaction, bytes } = must(finalizePsbt(all))
    expect(toHex(must(finalizePsbt(other)).bytes)).toBe(toHex(bytes))
    expect(transaction.inputs[0]?.witness.length).toBe(4)
  })

  it('never lets a signature pass that was not verified', () => {
    const ours = psbtOf(SINGLE)
    const wrong = signedBy({ ...ours, transaction: { ...ours.transaction, lockTime: 1 } }, 0)
    const smuggled = { ...ours, inputs: wrong.inputs }
    expect(finalizePsbt(smuggled)).toMatchObject({ error: { code: 'SIGNATURE_INVALID' } })
    const coinless = withInput(
      signedBy(ours, 0),
      0,
      ({ witnessUtxo: _, previous: __, ...rest }) => rest,
    )
    expect(finalizePsbt(coinless)).toMatchObject({
      error: { code: 'PSBT_UNSPENDABLE', details: { input: 0, fault: 'utxo_missing' } },
    })
  })
})
