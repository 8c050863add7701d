import type { BitcoindOptions } from '@kaccy/bitcoin/adapters/bitcoind'

/** A node of somebody else's making that a test has started, on regtest and on free loopback ports. */
export interface TestNode {
  readonly name: string
  /** What `createBitcoindSource` needs to reach it. */
  readonly source: BitcoindOptions
  /** `host:port` of its peer-to-peer side, for joining two nodes. */
  readonly peer: string
  /** Any method, with the result as plain JSON. Rejects with the node's error text. */
  rpc(method: string, params?: readonly unknown[]): Promise<unknown>
  /** Mines to the node's own address; hashes in order. */
  generate(count: number): Promise<readonly string[]>
  /** Hands a block over, as hex. Rejects when the node does not take it. */
  submitBlock(block: string): Promise<void>
  invalidate(hash: string): Promise<void>
  reconsider(hash: string): Promise<void>
  /** Joins two nodes; they agree on the longer branch soon after. See `untilTip`. */
  connect(other: TestNode): Promise<void>
  /** Cuts them apart. */
  disconnect(other: TestNode): Promise<void>
  /** Ends the process as an operator would and starts it again on the same data and ports. */
  restart(): Promise<void>
  /** Ends the process and deletes its data. */
  stop(): Promise<void>
}

/** Waits until `node` has this best block: peers talk to each other in their own time. Rejects after a minute. */
export async function untilTip(node: TestNode, hash: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if ((await node.rpc('getbestblockhash')) === hash) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new TypeError(`${node.name} never reached block ${hash}`)
}

/** A counterpart that can be started, or why not. */
export type Found<T> = { readonly found: T } | { readonly missing: string }

/**
 * The reason to skip tests with a counterpart; undefined when it is there. In CI a promised counterpart that is missing
 * is a failure: a suite that skips everything would be green. Bitcoin Core is in no registry, so it is promised only
 * where `BITCOIND` names it.
 */
export function reasonToSkip(
  name: string,
  found: Found<unknown>,
  promised = true,
): string | undefined {
  if ('found' in found) return undefined
  const reason = `${name}: ${found.missing}`
  if (promised && process.env['CI'] === 'true') {
    throw new TypeError(`promised counterpart is missing: ${reason}`)
  }
  process.stderr.write(`SKIPPED: ${reason}\n`)
  return reason
}
