import type { Broadcaster, SendAnswer } from '../../capabilities/broadcast/index.ts'
import { assert, EngineError } from '../../kernel/index.ts'
import { isLookToken, type LookToken } from '../../protocol/last-look/index.ts'
import type { PackageResult } from './calls/send.ts'
import type { BitcoindSource } from './source.ts'

/**
 * Hands transactions to one node. It takes nothing but tokens of the last look, and checks again that they are some: bytes
 * that nobody has looked at cannot be sent from here, whatever the caller's types say.
 */
export const createBitcoindBroadcaster = (
  source: Pick<BitcoindSource, 'client' | 'capabilities'>,
): Broadcaster => ({
  async send(token, maxRate) {
    assert(isLookToken(token), 'bytes without a last look')
    const { txid, bytes: raw } = token
    const outcome = await source.client.sendRawTransaction({ txid, raw, maxRate })
    if (outcome.status === 'refused') {
      const { verdict, reason } = outcome
      return { answer: 'refused', verdict, reason }
    }
    if (outcome.status === 'unknown') return unknown(outcome.error)
    return { answer: outcome.status }
  },
  async sendPackage(tokens) {
    assert(tokens.every(isLookToken), 'bytes without a last look')
    const child = tokens.at(-1)
    assert(child && tokens.length > 1, 'a package of one transaction')
    return orUnknown(async () => {
      const { methods } = await source.capabilities()
      if (!methods.submitpackage) return undefined
      return answerFor(child, await source.client.submitPackage(tokens.map(({ bytes }) => bytes)))
    })
  },
})

const unknown = (error: EngineError): SendAnswer => ({
  answer: 'unknown',
  reason: `${error.code}: ${error.message}`.slice(0, 300),
})
async function orUnknown<T>(work: () => Promise<T>): Promise<T | SendAnswer> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof EngineError) return unknown(error)
    throw error
  }
}

function answerFor(child: LookToken, { message, transactions }: PackageResult): SendAnswer {
  const result = transactions.find(({ txid }) => txid === child.txid)
  if (!result)
    return { answer: 'unknown', reason: `the node says nothing of the child: ${message}` }
  const { error, verdict } = result
  if (error === undefined) return { answer: 'accepted' }
  if (verdict === 'done') return { answer: 'already_known' }
  return { answer: 'refused', reason: error, verdict: verdict ?? 'ask_human' }
}
