import { isNetwork, type Network } from '../../kernel/index.ts'

/** btcd spells the two oldest networks its own way. */
const OTHER_NAMES: ReadonlyMap<string, Network> = new Map([
  ['mainnet', 'main'],
  ['testnet3', 'test'],
])

/** The network a node means by `chain`; undefined for one we do not know (btcd's simnet). */
export const networkOfChain = (chain: string): Network | undefined =>
  isNetwork(chain) ? chain : OTHER_NAMES.get(chain)
