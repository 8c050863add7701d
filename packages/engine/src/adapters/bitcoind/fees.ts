import { FEE_TARGETS, type FeeEstimate, type FeeReport } from '../../capabilities/chain/index.ts'
import { isMethodMissing, refusedCall } from './calls/caller.ts'
import { readMempoolInfo } from './calls/mempool.ts'
import { readFeeEstimate } from './calls/network.ts'
import type { NodeCapabilities } from './capabilities.ts'
import type { RpcError, RpcReply } from './envelope.ts'
import { Field } from './field.ts'
import type { Rpc } from './rpc.ts'

const MODES = ['economical', 'conservative'] as const
/** Core's number for a node that was started without its estimator: an answer, not a fault. */
const RPC_INTERNAL_ERROR = -32603

/** One question to the node: what it would answer to. */
const QUESTIONS = FEE_TARGETS.flatMap((target) => MODES.map((mode) => ({ target, mode })))

/**
 * All estimates and floors of the node in one batch, so of one moment. Both modes are asked by name: which of them is the
 * default changed with Core 28.
 */
export async function askFees(rpc: Rpc, { methods }: NodeCapabilities): Promise<FeeReport> {
  const questions = methods.estimatesmartfee ? QUESTIONS : []
  const replies = await rpc.askAll([
    { method: 'getmempoolinfo', params: [] },
    ...questions.map(({ target, mode }) => ({
      method: 'estimatesmartfee',
      params: [target, mode],
    })),
  ])
  const at = rpc.settings.clock.now()
  const [mempool, ...answers] = replies
  const estimates: FeeEstimate[] = []
  const reasons = new Set<string>()
  if (!methods.estimatesmartfee) reasons.add('the node does not have estimatesmartfee')
  for (const [i, question] of questions.entries()) {
    const answer = estimateIn(answers[i])
    if ('reasons' in answer) for (const reason of answer.reasons) reasons.add(reason)
    else estimates.push({ ...question, ...answer, source: 'estimatesmartfee' })
  }
  return { estimates, ...floorsIn(mempool), reasons: [...reasons], at }
}

function estimateIn(
  reply: RpcReply | undefined,
): Pick<FeeEstimate, 'rate' | 'blocks'> | { readonly reasons: readonly string[] } {
  if (!reply) return { reasons: [] }
  if (!reply.ok) {
    if (reply.error.code === RPC_INTERNAL_ERROR) return { reasons: [wordsOf(reply.error)] }
    throw refusedCall('estimatesmartfee', reply.error)
  }
  const found = readFeeEstimate(new Field('estimatesmartfee', reply.result))
  if (!found.ok) return { reasons: found.errors.map((error) => error.slice(0, 200)) }
  return { rate: found.rate, blocks: found.blocks }
}
const wordsOf = ({ message }: RpcError): string => message.slice(0, 200)

/** The floors, as far as the node names them: btcd does not. */
function floorsIn(reply: RpcReply | undefined): Pick<FeeReport, 'mempoolMinimum' | 'relayMinimum'> {
  if (!reply) return {}
  if (!reply.ok) {
    if (isMethodMissing(reply.error)) return {}
    throw refusedCall('getmempoolinfo', reply.error)
  }
  const { minRate, minRelayRate } = readMempoolInfo(new Field('getmempoolinfo', reply.result))
  return {
    ...(minRate === undefined ? {} : { mempoolMinimum: { rate: minRate, source: 'mempool' } }),
    ...(minRelayRate === undefined
      ? {}
      : { relayMinimum: { rate: minRelayRate, source: 'mempool' } }),
  }
}
