import { type BlockHash, blockHash, isNetwork, type Network } from '../../kernel/index.ts'

/** First block of each network (`kernel/chainparams.cpp`). Every signet, public or private, has the same one. */
export const GENESIS: Readonly<Record<Network, BlockHash>> = {
  main: blockHash('000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f'),
  test: blockHash('000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943'),
  testnet4: blockHash('00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043'),
  signet: blockHash('00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6'),
  regtest: blockHash('0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206'),
}

/** btcd spells the two oldest networks its own way. */
const OTHER_NAMES: ReadonlyMap<string, Network> = new Map([
  ['mainnet', 'main'],
  ['testnet3', 'test'],
])

/** The network a node means by `chain`; undefined for one we do not know (btcd's simnet). */
export const networkOfChain = (chain: string): Network | undefined =>
  isNetwork(chain) ? chain : OTHER_NAMES.get(chain)
