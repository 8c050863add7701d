import { systemClock } from '@kaccy/bitcoin/adapters/system'
import type { ChainSource } from '@kaccy/bitcoin/chain'
import { EngineError, type Network } from '@kaccy/bitcoin/kernel'
import { inspectNode } from '../host/node.ts'
import { pauseFor } from '../host/pause.ts'

/** Pause between two questions to a node that is not ready. */
const AGAIN_MS = 5_000

/**
 * Waits until the node can be followed; false when asked to stop before. Troubles that time heals are told and waited
 * for, all others are thrown at once.
 * @throws EngineError CHAIN_WRONG_NETWORK and whatever has not the remedy `retry`
 */
export async function waitForNode(
  source: ChainSource,
  network: Network,
  signal: AbortSignal,
  onTrouble: (error: EngineError) => void,
): Promise<boolean> {
  while (!signal.aborted) {
    try {
      await inspectNode(source, network, systemClock.now())
      return true
    } catch (error) {
      if (!(error instanceof EngineError) || error.remedy !== 'retry') throw error
      onTrouble(error)
      await pauseFor(AGAIN_MS, signal)
    }
  }
  return false
}
