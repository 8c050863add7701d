/** What a method costs the node; each class has its own deadline. */
export type MethodClass = 'read' | 'block' | 'scan' | 'send'

/** Milliseconds. The first four are for a whole call with all its attempts; `body` is for one answer's body. */
export interface Deadlines extends Readonly<Record<MethodClass, number>> {
  /** From the answer's headers to its last byte: a node that drips bytes does not hold a call longer. */
  readonly body: number
}

export const DEFAULT_DEADLINES: Deadlines = {
  read: 15_000,
  block: 60_000,
  scan: 900_000,
  send: 30_000,
  body: 60_000,
}

interface MethodNature {
  readonly class: MethodClass
  /** May be sent again when nobody knows whether the first one was performed. */
  readonly idempotent: boolean
}

const READ: MethodNature = { class: 'read', idempotent: true }
const BLOCK: MethodNature = { class: 'block', idempotent: true }
const SCAN: MethodNature = { class: 'scan', idempotent: true }
const SEND: MethodNature = { class: 'send', idempotent: false }

const reads = [
  'analyzepsbt decodepsbt decoderawtransaction deriveaddresses finalizepsbt getdescriptorinfo estimatesmartfee',
  'estimatefee getbalances getbestblockhash getblockchaininfo getblockcount getblockfilter getblockhash',
  'getblockheader getblockstats getchaintips getconnectioncount getindexinfo getmempoolancestors help',
  'getmempooldescendants getmempoolentry getmempoolinfo getmininginfo getnettotals getnetworkinfo getpeerinfo',
  'getrawmempool getrawtransaction getreceivedbyaddress gettransaction gettxout gettxoutproof',
  'gettxspendingprevout getwalletinfo getzmqnotifications listsinceblock listtransactions listunspent listwallets',
  'testmempoolaccept uptime validateaddress version getcurrentnet ping',
].flatMap((line) => line.split(' '))

const NATURES: ReadonlyMap<string, MethodNature> = new Map([
  ...reads.map((name) => [name, READ] as const),
  ['getblock', BLOCK],
  ['gettxoutsetinfo', SCAN],
  // A second scan while the first still runs is refused by the node (-8), so it is not repeated blindly.
  ['scantxoutset', { class: 'scan', idempotent: false }],
  ['importdescriptors', { class: 'scan', idempotent: false }],
  ['generate', { class: 'block', idempotent: false }],
  ['generatetoaddress', { class: 'block', idempotent: false }],
])

/** A method nobody thought of may change something: it is sent once. */
export const natureOf = (method: string): MethodNature => NATURES.get(method) ?? SEND
