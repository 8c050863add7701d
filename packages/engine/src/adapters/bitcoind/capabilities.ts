import type { JsonWritable } from '../../protocol/json/index.ts'
import { isMethodMissing } from './calls/caller.ts'
import type { RpcReply } from './envelope.ts'
import type { Rpc } from './rpc.ts'

const NOTHING = '0'.repeat(64)

/** One harmless call per method: its answer, error or not, shows whether the node has it. */
const PROBES = {
  getnetworkinfo: [],
  uptime: [],
  getnettotals: [],
  getmempoolinfo: [],
  getmempoolentry: [NOTHING],
  gettxspendingprevout: [[]],
  estimatesmartfee: [6],
  testmempoolaccept: [[]],
  submitpackage: [[]],
  scantxoutset: ['status'],
  getindexinfo: [],
  getblockfilter: [NOTHING],
  getzmqnotifications: [],
  listwallets: [],
} as const satisfies Record<string, readonly JsonWritable[]>

export type ProbedMethod = keyof typeof PROBES
const METHODS = Object.keys(PROBES) as ProbedMethod[]

export interface NodeCapabilities {
  readonly methods: Readonly<Record<ProbedMethod, boolean>>
  /** `/Satoshi:28.1.0/`; undefined where the node does not say (btcd). */
  readonly subversion?: string
  /** `getblockchaininfo` says whether the node is in its first download. */
  readonly saysInitialBlockDownload: boolean
  /** `getmempoolinfo` says whether the mempool was read from disk. */
  readonly saysMempoolLoaded: boolean
  /** `gettxout` may still show a coin that the mempool spends; only Core is known not to. */
  readonly showsCoinsSpentInMempool: boolean
}

/** Asks instead of assuming from a version: forks, older nodes and switched-off parts all look alike. */
export async function probeCapabilities(rpc: Rpc): Promise<NodeCapabilities> {
  const calls = METHODS.map((method) => ({ method, params: PROBES[method] }))
  const replies = await rpc.askAll([...calls, { method: 'getblockchaininfo', params: [] }], {
    harmless: true,
    deadline_ms: rpc.settings.deadlines.read,
  })
  const has = METHODS.map((method, index) => [method, isThere(replies[index])] as const)
  const network = replies[METHODS.indexOf('getnetworkinfo')]
  const subversion = memberOf(network, 'subversion')
  return {
    methods: Object.fromEntries(has) as Record<ProbedMethod, boolean>,
    ...(typeof subversion === 'string' ? { subversion } : {}),
    showsCoinsSpentInMempool: typeof subversion !== 'string' || !subversion.startsWith('/Satoshi:'),
    saysInitialBlockDownload:
      memberOf(replies[METHODS.length], 'initialblockdownload') !== undefined,
    saysMempoolLoaded: memberOf(replies[METHODS.indexOf('getmempoolinfo')], 'loaded') !== undefined,
  }
}

const isThere = (reply: RpcReply | undefined): boolean =>
  reply !== undefined && (reply.ok || !isMethodMissing(reply.error))

function memberOf(reply: RpcReply | undefined, name: string) {
  if (!reply?.ok || typeof reply.result !== 'object' || reply.result === null) return undefined
  return Object.entries(reply.result).find(([key]) => key === name)?.[1]
}
