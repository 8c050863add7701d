import { type BitcoindOptions, createBitcoindClient } from '@kaccy/bitcoin/adapters/bitcoind'
import { formatJson, parseJson } from '@kaccy/bitcoin/protocol/json'
import type { TestNode } from './node.ts'

/** How blocks are made by the node itself. */
export type Generating =
  | { readonly method: 'generate' }
  | { readonly method: 'generatetoaddress'; readonly address: string }

export interface TestNodeParts {
  readonly name: string
  readonly source: BitcoindOptions
  readonly peer: string
  readonly generate: Generating
  /** The call that hangs up on a peer. */
  disconnecting(peer: string): [method: string, params: readonly unknown[]]
  restart(): Promise<void>
  stop(): Promise<void>
}

/** The same handle for every kind of node. */
export function createTestNode(parts: TestNodeParts): TestNode {
  const client = createBitcoindClient({ ...parts.source, deadlines: { send: 60_000 } })
  const rpc = async (method: string, params: readonly unknown[] = []): Promise<unknown> => {
    const given = parseJson(JSON.stringify(params))
    if (!given.ok || !Array.isArray(given.value)) throw new TypeError('params are not JSON')
    return JSON.parse(formatJson(await client.call(method, given.value)))
  }
  const { generate } = parts
  return {
    name: parts.name,
    source: parts.source,
    peer: parts.peer,
    rpc,
    generate: async (count) =>
      (await rpc(
        generate.method,
        generate.method === 'generate' ? [count] : [count, generate.address],
      )) as string[],
    submitBlock: async (block) => {
      const answer = await rpc('submitblock', [block])
      // Core says this of a good block that is not on its best chain.
      if (answer !== null && answer !== 'inconclusive')
        throw new TypeError(`submitblock: ${String(answer)}`)
    },
    invalidate: async (hash) => void (await rpc('invalidateblock', [hash])),
    reconsider: async (hash) => void (await rpc('reconsiderblock', [hash])),
    connect: async (other) => void (await rpc('addnode', [other.peer, 'onetry'])),
    disconnect: async (other) => void (await rpc(...parts.disconnecting(other.peer))),
    restart: parts.restart,
    stop: async () => {
      client.close()
      await parts.stop()
    },
  }
}
