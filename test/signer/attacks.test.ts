import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAddress } from '@kaccy/bitcoin/protocol/address'
import { doubleSha256 } from '@kaccy/bitcoin/protocol/transaction'
import { sat, type Txid, toReversedHex, txid, type WithdrawalId } from '@kaccy/bitcoin/kernel'
import { Transaction } from '@scure/btc-signer'
import { afterAll, describe, expect, test } from 'vitest'
import { createStand, LIMITS, receiptOf } from './stand.ts'

const FILE = join(
  process.env['KACCY_SHARED'] ?? '../shared',
  'vectors/attacks/psbt_policy_cases.json',
)
const reason = existsSync(FILE) ? undefined : `no vectors at ${FILE}`
if (reason) process.stderr.write(`SKIPPED: ${reason}\n`)

interface Case {
  readonly name: string
  readonly request: readonly { readonly address: string; readonly amount: number }[]
  readonly psbt: string
  readonly expect: 'sign' | 'refuse'
  readonly reason: string
}
interface Context {
  readonly tip_height: number
  readonly wallet_p2wpkh: { readonly mnemonic: string; readonly descriptor: string }
  readonly wallet_p2tr: { readonly mnemonic: string; readonly descriptor: string }
  readonly wallet_multisig: { readonly mnemonics: readonly string[]; readonly descriptor: string }
}
const file: { readonly context: Context; readonly cases: readonly Case[] } = reason
  ? { context: {} as Context, cases: [] }
  : JSON.parse(readFileSync(FILE, 'utf8'))

const limits = {
  ...LIMITS,
  max_fee_sat: 5_000_000,
  max_fee_rate_sat_kvb: 500_000,
  change_index_max: 1000,
}
/** The id of the unsigned transaction inside, found by its place: global pair 0 comes first in every case. */
function unsignedTxid(psbt: Buffer): Txid {
  const length = psbt[7] === 0xfd ? psbt.readUInt16LE(8) : (psbt[7] ?? 0)
  const from = psbt[7] === 0xfd ? 10 : 8
  return txid(toReversedHex(doubleSha256(psbt.subarray(from, from + length))))
}

describe.skipIf(reason)('attack PSBTs with a receipt for exactly what they hold', () => {
  const { context, cases } = file
  const wallets = reason
    ? []
    : (['p2wpkh', 'p2tr', 'multisig'] as const).map((name) => {
        const { descriptor } = context[`wallet_${name}`]
        return { name, descriptor, limits }
      })
  const mnemonics = reason ? [] : context.wallet_multisig.mnemonics
  const stand = reason ? undefined : createStand(mnemonics, wallets)
  const opened = stand?.open()
  afterAll(() => {
    opened?.close()
    stand?.remove()
  })

  test('there are 42', () => expect(cases).toHaveLength(42))

  test.each(cases)(
    '$name: $expect, $reason',
    ({ name, request, psbt, expect: wanted, reason: why }) => {
      const wallet = name.startsWith('multisig')
        ? 'multisig'
        : name.startsWith('taproot')
          ? 'p2tr'
          : 'p2wpkh'
      const { desk } = opened ?? expect.unreachable()
      const descriptor = desk.wallets().find((each) => each.name === wallet)?.descriptor ?? ''
      const payments = request.map(({ address, amount }, i) => {
        const parsed = parseAddress(address, 'regtest')
        if (!parsed.ok) return expect.unreachable(parsed.error.message)
        return {
          withdrawal: `wdr_${i}` as WithdrawalId,
          script: parsed.value.script,
          amount: sat(BigInt(amount)),
        }
      })
      const bytes = Buffer.from(psbt, 'base64')
      const isBase64 = bytes.toString('base64') === psbt
      const receipt = receiptOf({
        descriptor: descriptor.slice(-8),
        unsignedTxid: unsignedTxid(bytes),
        payments,
        tipHeight: context.tip_height,
      })
      const answer = desk.sign(isBase64 ? bytes : new Uint8Array(), receipt)
      if (wanted === 'refuse') {
        if (answer.answer !== 'refused') return expect.unreachable(answer.answer)
        expect(answer.faults.map((fault) => fault.reason)).toContain(why)
        return
      }
      if (answer.answer !== 'signed') return expect.unreachable(JSON.stringify(answer))
      // Somebody else's code finalises it: it checks neither less nor the same.
      const tx = Transaction.fromPSBT(answer.psbt, { allowUnknownOutputs: true })
      tx.finalize()
      expect(tx.id).toBe(answer.txHash)
    },
  )
})
