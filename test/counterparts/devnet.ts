import { createDevnet, type Devnet } from '@kaccy/devnet'
import type { TestNode } from './node.ts'
import { createTestNode } from './test-node.ts'

const MINING_ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'

/** Our own stand-in, held to the same contract as the real ones. It speaks to no peers. */
export const startDevnet = async (): Promise<TestNode> => serveDevnet(await createDevnet())

/** A devnet behind its HTTP face, as a stranger's software sees it. */
export function serveDevnet(devnet: Devnet): TestNode {
  return createTestNode({
    name: 'devnet',
    source: { url: devnet.rpcUrl, auth: { cookieFile: devnet.cookiePath } },
    peer: '',
    generate: { method: 'generatetoaddress', address: MINING_ADDRESS },
    disconnecting: (peer) => ['disconnectnode', [peer]],
    restart: async () => devnet.restart(),
    stop: async () => devnet.close(),
  })
}
