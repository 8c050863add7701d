import { type Network, sat, satPerKvB } from '@kaccy/bitcoin/kernel'
import { parseAddress } from '@kaccy/bitcoin/protocol/address'
import { parseDescriptor } from '@kaccy/bitcoin/protocol/descriptor'
import { judgePsbt, type PsbtPolicy } from '@kaccy/bitcoin/protocol/psbt'
import {
  type Case,
  type CaseRecord,
  isRecord,
  jsonShape,
  must,
  runShapes,
  type Verdict,
} from '../cases.ts'

export const topic = 'attacks'

interface Wallet {
  readonly descriptor: string
}
interface Context {
  readonly network: Network
  readonly tip_height: number
  readonly policy: {
    readonly max_feerate_sat_vb: number
    readonly max_fee: number
    readonly min_feerate_sat_vb: number
    readonly change_chain: number
    readonly change_index_max: number
    readonly segwit_v0_needs_previous_tx: boolean
  }
  readonly wallet_p2wpkh: Wallet
  readonly wallet_p2tr: Wallet
  readonly wallet_multisig: Wallet
}
interface AttackCase {
  readonly name: string
  readonly request: readonly { readonly address: string; readonly amount: number }[]
  readonly psbt: string
  readonly expect: 'sign' | 'refuse'
  readonly reason: string
}

function walletOf(context: Context, name: string): Wallet {
  if (name.startsWith('multisig_')) return context.wallet_multisig
  return name.startsWith('taproot_') ? context.wallet_p2tr : context.wallet_p2wpkh
}

/** The policy of the file for one case. */
export function policyOf(context: Context, { name, request }: AttackCase): PsbtPolicy {
  const { policy, network } = context
  const perVbyte = (rate: number) => satPerKvB(BigInt(rate) * 1000n)
  return {
    wallet: [must(parseDescriptor(walletOf(context, name).descriptor))],
    requests: request.map(({ address, amount }) => ({
      script: must(parseAddress(address, network)).script,
      amount: sat(BigInt(amount)),
    })),
    maxFee: sat(BigInt(policy.max_fee)),
    maxFeeRate: perVbyte(policy.max_feerate_sat_vb),
    minFeeRate: perVbyte(policy.min_feerate_sat_vb),
    tipHeight: context.tip_height,
    changeBranch: policy.change_chain,
    changeIndexMax: policy.change_index_max,
    requirePrevious: policy.segwit_v0_needs_previous_tx,
  }
}

/** Our reasons have the words of the file. */
function check(context: Context, attack: AttackCase): Verdict {
  const reasons = judgePsbt(attack.psbt, policyOf(context, attack)).map(({ reason }) => reason)
  if (attack.expect === 'sign') {
    return reasons.length === 0 ? undefined : `refused for ${reasons.join(', ')}`
  }
  return reasons.some((reason) => reason === attack.reason)
    ? undefined
    : `the reasons are ${reasons.join(', ') || 'none'} instead of ${attack.reason}`
}

const attacks = jsonShape<{ readonly context: Context; readonly cases: readonly AttackCase[] }>(
  (data) => isRecord(data, 'context', 'cases'),
  function* ({ context, cases }): Generator<Case> {
    for (const attack of cases) yield [attack.name, () => check(context, attack)]
  },
)

export const run = (dir: string): AsyncGenerator<CaseRecord> => runShapes(dir, [attacks])
