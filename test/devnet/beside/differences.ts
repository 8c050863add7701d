/** Something that a devnet answers otherwise than Core, and why that is so. */
export interface Difference {
  /** Method, REST path without its arguments, or `*`. */
  readonly call: string
  /** Place inside the answer, as `differencesOf` writes it. */
  readonly path: string
  readonly why: string
  /** What must still be the same of both. */
  readonly same?: (text: string) => string
  /** The members of this array are the same, in another order. */
  readonly unordered?: true
}
/** The form of a call and what is said of it, as JSON text. */
const USAGE = /^"[a-z]+(?:\\n| .*\\n\\n)/
const HASHED = 'Core goes through a table whose order it salts anew at every start'

export const DIFFERENCES: readonly Difference[] = [
  {
    call: 'getnetworkinfo',
    path: 'result.subversion',
    why: 'the recorded node 28.1 was built with empty comments: /Satoshi:28.1.0()/',
    same: (text) => text.replace('()', ''),
  },
  {
    call: 'getblockchaininfo',
    path: 'result.initialblockdownload',
    why: 'a devnet is never in its initial download unless `posture` says so',
  },
  {
    call: '/rest/chaininfo',
    path: 'initialblockdownload',
    why: 'a devnet is never in its initial download unless `posture` says so',
  },
  {
    call: 'getblockchaininfo',
    path: 'result.size_on_disk',
    why: 'a devnet keeps no undo files',
  },
  { call: '/rest/chaininfo', path: 'size_on_disk', why: 'a devnet keeps no undo files' },
  {
    call: 'getblocktemplate',
    path: 'result.longpollid',
    why: "the number behind the tip counts the mempool's changes, each node in its own way",
    same: (text) => text.slice(0, 65),
  },
  {
    call: 'sendrawtransaction',
    path: 'error.message',
    why: 'the recorded node 28.1 names the detail of ephemeral dust, a plain one does not',
    same: (text) => text.slice(0, 5),
  },
  {
    call: 'analyzepsbt',
    path: 'result.inputs[].missing.signatures[length]',
    why: 'what a P2WSH script lacks Core asks a second time, as miniscript, and names it again',
    same: (text) => [...new Set(JSON.parse(text) as string[])].join(),
  },
  { call: 'listsinceblock', path: 'result.transactions', unordered: true, why: HASHED },
  { call: 'listunspent', path: 'result', unordered: true, why: HASHED },
  { call: 'listreceivedbyaddress', path: 'result[].txids', unordered: true, why: HASHED },
  { call: 'listwalletdir', path: 'result.wallets', unordered: true, why: 'the order of a folder' },
  {
    call: '*',
    path: 'error.message',
    why: 'help texts and paths are in words of our own behind the line with the form of the call',
    same: (text) => (USAGE.test(text) ? (text.split('\\n')[0] ?? '') : text),
  },
  {
    call: 'help',
    path: 'result',
    why: 'help texts are in words of our own behind the line with the form of the call',
    same: (text) => text.split('\\n')[0] ?? '',
  },
  {
    call: 'loadwallet',
    path: 'error.message',
    why: 'a wallet has no path here',
    same: (text) => text.replace(/path '.*/, ''),
  },
  { call: 'uptime', path: 'result', why: 'counts from an hour ago, and from the mocked clock' },
  { call: 'getnettotals', path: 'result.timemillis', why: 'Core asks the machine for this one' },
  { call: 'getrpcinfo', path: 'result.logpath', why: 'a devnet writes no log' },
  { call: 'getrpcinfo', path: 'result.active_commands[].duration', why: 'nothing is measured' },
  { call: 'getzmqnotifications', path: 'result[].address', why: 'two nodes, two ports' },
  { call: 'echo', path: 'result[length]', why: 'nulls at the end are not kept' },
  { call: 'echojson', path: 'result[length]', why: 'nulls at the end are not kept' },
  ...['used', 'free', 'chunks_used', 'chunks_free'].map((name) => ({
    call: 'getmemoryinfo',
    path: `result.locked.${name}`,
    why: 'a devnet locks no memory',
  })),
  {
    call: 'decodescript',
    path: 'result.segwit.desc',
    why: 'no miniscript: what Core reads as one is an address here',
  },
]
