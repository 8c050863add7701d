import type { Regtest } from '../powers/regtest.ts'
import { rpcError } from './errors.ts'
import type { Json } from './json.ts'
import {
  int32Argument,
  integerArgument,
  type Method,
  method,
  type RpcContext,
  textArgument,
  usage,
} from './method.ts'

const LOG_CATEGORIES: readonly string[] =
  'addrman bench blockstorage cmpctblock coindb estimatefee http i2p ipc leveldb libevent mempool mempoolrej net proxy prune qt rand reindex rpc scan selectcoins tor txpackages txreconciliation validation walletdb zmq'.split(
    ' ',
  )
const NETWORKS = new Set(['ipv4', 'ipv6', 'onion', 'i2p', 'cjdns', 'internal'])

/** What calls set and other calls show, without any effect on the chain. */
interface Settings {
  readonly logged: Set<string>
  readonly addedNodes: Set<string>
  networkActive: boolean
}
const settings = new WeakMap<Regtest, Settings>()
export function settingsOf({ regtest }: Pick<RpcContext, 'regtest'>): Settings {
  const known = settings.get(regtest)
  if (known) return known
  const fresh = { logged: new Set<string>(), addedNodes: new Set<string>(), networkActive: true }
  settings.set(regtest, fresh)
  return fresh
}

function setLogged(context: RpcContext, list: unknown, isLogged: boolean): void {
  if (!Array.isArray(list)) return
  const { logged } = settingsOf(context)
  for (const item of list) {
    const name = textArgument(item)
    const isAll = name === '' || name === 'all' || name === '1'
    if (!isAll && !LOG_CATEGORIES.includes(name)) {
      throw rpcError('invalidParameter', `unknown logging category ${name}`)
    }
    for (const category of isAll ? LOG_CATEGORIES : [name]) {
      if (isLogged) logged.add(category)
      else logged.delete(category)
    }
  }
}
function logging(context: RpcContext, [include, exclude]: readonly unknown[]): Json {
  setLogged(context, include, true)
  setLogged(context, exclude, false)
  const { logged } = settingsOf(context)
  return Object.fromEntries(LOG_CATEGORIES.map((name) => [name, logged.has(name)]))
}

/** The devnet locks no memory: the numbers of a node that has just started. */
const LOCKED = {
  used: 352,
  free: 261_792,
  total: 262_144,
  locked: 262_144,
  chunks_used: 1,
  chunks_free: 1,
}
function memoryInfo([mode = 'stats']: readonly unknown[]): Json {
  if (mode === 'stats') return { locked: LOCKED }
  if (mode === 'mallocinfo') {
    throw rpcError('invalidParameter', 'mallocinfo mode not available')
  }
  throw rpcError('invalidParameter', `unknown mode ${mode}`)
}
const MAX_TIME = 9_223_372_036
function setMockTime({ clock }: RpcContext, [value]: readonly unknown[]): Json {
  const time = integerArgument(value)
  if (time < 0 || time > MAX_TIME) {
    const range = `Mocktime must be in the range [0, ${MAX_TIME}], not ${time}.`
    throw rpcError('invalidParameter', range)
  }
  clock.stand(time === 0 ? undefined : time * 1000)
  return null
}

/** No peer-to-peer side: an added node is remembered and never reached. */
function addNode(context: RpcContext, [node, command]: readonly unknown[]): Json {
  const { addedNodes } = settingsOf(context)
  const name = String(node)
  switch (command) {
    case 'onetry':
      return null
    case 'add':
      if (addedNodes.has(name)) throw rpcError('nodeAlreadyAdded', 'Error: Node already added')
      addedNodes.add(name)
      return null
    case 'remove':
      if (addedNodes.delete(name)) return null
      throw rpcError(
        'nodeNotAdded',
        'Error: Node could not be removed. It has not been added previously.',
      )
    default:
      throw usage(addNodeMethod)
  }
}
const addNodeMethod: Method = method(
  'addnode',
  ['node:string', 'command:string', 'v2transport:bool?'],
  addNode,
)
function disconnectNode([address, id]: readonly unknown[]): Json {
  const byId = id !== undefined && (address === undefined || address === '')
  if (byId) integerArgument(id)
  else if (address === undefined || id !== undefined) {
    throw rpcError('invalidParams', 'Only one of address and nodeid should be provided.')
  }
  throw rpcError('nodeNotConnected', 'Node not found in connected nodes')
}
function addedNodeInfo(context: RpcContext, [node]: readonly unknown[]): Json {
  const { addedNodes } = settingsOf(context)
  if (node !== undefined && !addedNodes.has(String(node))) {
    throw rpcError('nodeNotAdded', 'Error: Node has not been added.')
  }
  const shown = node === undefined ? [...addedNodes] : [String(node)]
  return shown.map((addednode) => ({ addednode, connected: false, addresses: [] }))
}
function nodeAddresses([count, network]: readonly unknown[]): Json {
  if (int32Argument(count, 1) < 0) {
    throw rpcError('invalidParameter', 'Address count out of range')
  }
  if (network !== undefined && !NETWORKS.has(String(network))) {
    throw rpcError('invalidParameter', `Network not recognized: ${network}`)
  }
  return []
}
function indexInfo({ regtest }: RpcContext, [wanted]: readonly unknown[]): Json {
  const state = { synced: true, best_block_height: regtest.chain.tip.height }
  const names = ['txindex', 'basic block filter index']
  return Object.fromEntries(
    names.filter((name) => (wanted ?? name) === name || wanted === '').map((name) => [name, state]),
  )
}
const ECHOED = Array.from({ length: 10 }, (_, i) => `arg${i}:any?`)
function echo(args: readonly unknown[]): Json {
  const last = args.findLastIndex((value) => value !== undefined)
  return args.slice(0, last + 1).map((value) => (value ?? null) as Json)
}

export const nodeMethods: readonly Method[] = [
  addNodeMethod,
  method('disconnectnode', ['address:string?', 'nodeid:number?'], (_, args) =>
    disconnectNode(args),
  ),
  method('echo', ECHOED, (_, args) => echo(args)),
  method('echojson', ECHOED, (_, args) => echo(args)),
  method('getaddednodeinfo', ['node:string?'], addedNodeInfo),
  method('getindexinfo', ['index_name:string?'], indexInfo),
  method('getmemoryinfo', ['mode:string?'], (_, args) => memoryInfo(args)),
  method('getnodeaddresses', ['count:number?', 'network:string?'], (_, args) =>
    nodeAddresses(args),
  ),
  method('getrpcinfo', [], () => ({
    active_commands: [{ method: 'getrpcinfo', duration: 0 }],
    logpath: '',
  })),
  method('getzmqnotifications', [], ({ zmq }) =>
    zmq().map(({ type, address, hwm }) => ({ type, address, hwm })),
  ),
  method('listbanned', [], () => []),
  method('clearbanned', [], () => null),
  method('logging', ['include:array?', 'exclude:array?'], logging),
  method('ping', [], () => null),
  method('setmocktime', ['timestamp:number'], setMockTime),
  method('mockscheduler', ['delta_time:number'], (_, [delta]) => {
    const seconds = integerArgument(delta)
    if (seconds > 0 && seconds <= 3600) return null
    throw rpcError('misc', 'delta_time must be between 1 and 3600 seconds (1 hr)')
  }),
  method('setnetworkactive', ['state:bool'], (context, [state]) => {
    settingsOf(context).networkActive = state === true
    return state === true
  }),
  method('syncwithvalidationinterfacequeue', [], () => null),
]
