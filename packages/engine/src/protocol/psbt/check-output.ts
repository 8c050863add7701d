import { equalBytes } from '../../kernel/index.ts'
import { dustThreshold } from '../amounts/index.ts'
import { printKeyPath } from '../keys/index.ts'
import type { TransactionOutput } from '../transaction/index.ts'
import { type PartFault, part } from './coin.ts'
import type { PsbtOutput } from './model.ts'
import { type Claim, claimOf, isAt } from './place.ts'
import type { PaymentRequest, PsbtPolicy } from './policy.ts'

/** The place where change belongs. */
function pathFaults(claim: Claim & { readonly kind: 'place' }, policy: PsbtPolicy): PartFault[] {
  const { descriptor, branch, index } = claim
  const changeBranch = descriptor.branches === 1 ? 0 : (policy.changeBranch ?? 1)
  if (branch === changeBranch && index <= policy.changeIndexMax) return []
  const message = `change at ${branch}/${index}: nobody would look for it there`
  return [part('change_path', message)]
}

/** An output that nobody asked for: change of ours, or something else. */
function otherFaults(
  output: PsbtOutput,
  pays: TransactionOutput,
  policy: PsbtPolicy,
): readonly PartFault[] {
  const isNearRequest = policy.requests.some(({ script }) => equalBytes(script, pays.script))
  if (isNearRequest) {
    const message = `${pays.amount} sat to a script that other amounts were asked for`
    return [part('request_mismatch', message)]
  }
  const claim = claimOf(policy.wallet, [...output.origins, ...output.tapOrigins])
  switch (claim.kind) {
    case 'none':
      return [part('unknown_output', 'nobody asked for the output, and it is not proven ours')]
    case 'off_path':
      return [part('change_path', `change at m/${printKeyPath(claim.path)}: no script of ours`)]
    case 'place':
      return isAt(pays.script, claim)
        ? pathFaults(claim, policy)
        : [part('change_not_ours', 'the output names our key and is not our script')]
  }
}

/** What is wrong with each output, and the payments that no output makes. */
export interface OutputFaults {
  readonly faults: readonly (readonly PartFault[])[]
  readonly unpaid: readonly PaymentRequest[]
}

/** Matches outputs and payments one to one, the rest has to be change. */
export function outputFaults(
  pays: readonly TransactionOutput[],
  outputs: readonly PsbtOutput[],
  policy: PsbtPolicy,
): OutputFaults {
  const open = [...policy.requests]
  const faults = pays.map((pay, i): readonly PartFault[] => {
    const isDust = pay.amount < dustThreshold(pay.script, policy.dustRate)
    const dust = isDust ? [part('dust', `${pay.amount} sat are dust`)] : []
    const found = open.findIndex(
      ({ script, amount }) => amount === pay.amount && equalBytes(script, pay.script),
    )
    if (found >= 0) {
      open.splice(found, 1)
      return dust
    }
    const output = outputs[i]
    return output ? [...dust, ...otherFaults(output, pay, policy)] : dust
  })
  return { faults, unpaid: open }
}
