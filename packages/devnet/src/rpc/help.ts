import type { Parameter } from './parameter.ts'

/** A call as its help sees it. */
export interface Described {
  readonly name: string
  readonly parameters: readonly Parameter[]
}

/** Where the calls stand in the overview. Those of no group are not listed, as Core hides its testing calls. */
const GROUPS: Readonly<Record<string, string>> = {
  Blockchain:
    'getbestblockhash getblock getblockchaininfo getblockcount getblockfilter getblockhash getblockheader getblockstats getchainstates getchaintips getchaintxstats getdeploymentinfo getdifficulty getmempoolancestors getmempooldescendants getmempoolentry getmempoolinfo getrawmempool gettxout gettxoutproof gettxoutsetinfo gettxspendingprevout preciousblock pruneblockchain savemempool scanblocks scantxoutset verifychain verifytxoutproof',
  Control: 'getmemoryinfo getrpcinfo help logging stop uptime',
  Mining:
    'getblocktemplate getmininginfo getnetworkhashps getprioritisedtransactions prioritisetransaction submitblock submitheader',
  Network:
    'addnode clearbanned disconnectnode getaddednodeinfo getconnectioncount getnettotals getnetworkinfo getnodeaddresses getpeerinfo listbanned ping setnetworkactive',
  Rawtransactions:
    'analyzepsbt combinepsbt combinerawtransaction converttopsbt createpsbt createrawtransaction decodepsbt decoderawtransaction decodescript descriptorprocesspsbt finalizepsbt fundrawtransaction getrawtransaction joinpsbts sendrawtransaction signrawtransactionwithkey submitpackage testmempoolaccept utxoupdatepsbt',
  Util: 'createmultisig deriveaddresses estimatesmartfee getdescriptorinfo getindexinfo signmessagewithprivkey validateaddress verifymessage',
  Zmq: 'getzmqnotifications',
}
const HIDDEN = new Set(
  'echo echojson estimaterawfee generate generateblock generatetoaddress generatetodescriptor getrawaddrman invalidateblock mockscheduler reconsiderblock setmocktime syncwithvalidationinterfacequeue waitforblock waitforblockheight waitfornewblock'.split(
    ' ',
  ),
)
/** How arguments that are no plain value are written in the first line of a help text. */
const FORMS: Readonly<Record<string, string>> = {
  txids: '["txid",...]',
  scanobjects: '[scanobjects,...]',
  rawtxs: '["rawtx",...]',
  package: '["rawtx",...]',
  transactions: '["rawtx/txid",...]',
  keys: '["key",...]',
  include: '["include_category",...]',
  exclude: '["exclude_category",...]',
  template_request:
    '{"mode":"str","capabilities":["str",...],"rules":["segwit","str",...],"longpollid":"str","data":"hex"}',
}
const INPUTS = '[{"txid":"hex","vout":n,"sequence":n},...]'
const OUTPUTS = '[{"address":amount,...},{"data":"hex"},...]'
const PREVIOUS =
  '[{"txid":"hex","vout":n,"scriptPubKey":"hex","redeemScript":"hex","witnessScript":"hex","amount":amount},...]'
const DESCRIPTORS = '["",{"desc":"str","range":n or [n,n]},...]'
/** The same for one call alone, by its name and that of the argument. */
const OWN_FORMS: Readonly<Record<string, string>> = {
  'combinepsbt txs': '["psbt",...]',
  'joinpsbts txs': '["psbt",...]',
  'combinerawtransaction txs': '["hexstring",...]',
  'createpsbt inputs': INPUTS,
  'createpsbt outputs': OUTPUTS,
  'createrawtransaction inputs': INPUTS,
  'createrawtransaction outputs': OUTPUTS,
  'createwalletdescriptor options': '{"internal":bool,"hdkey":"str",...}',
  'descriptorprocesspsbt descriptors': DESCRIPTORS,
  'utxoupdatepsbt descriptors': DESCRIPTORS,
  'gettxspendingprevout outputs': '[{"txid":"hex","vout":n},...]',
  'listunspent addresses': '["address",...]',
  'lockunspent transactions': '[{"txid":"hex","vout":n},...]',
  'send outputs': OUTPUTS,
  'sendall recipients': '["address",{"address":amount,...},...]',
  'sendmany dummy': '""',
  'sendmany amounts': '{"address":amount,...}',
  'sendmany subtractfeefrom': '["address",...]',
  'signrawtransactionwithkey privkeys': '["privatekey",...]',
  'signrawtransactionwithkey prevtxs': PREVIOUS,
  'signrawtransactionwithwallet prevtxs': PREVIOUS,
  'walletcreatefundedpsbt inputs': '[{"txid":"hex","vout":n,"sequence":n,"weight":n},...]',
  'walletcreatefundedpsbt outputs': OUTPUTS,
}
const KINDS: Readonly<Record<Parameter['type'], string>> = {
  string: 'string',
  number: 'numeric',
  bool: 'boolean',
  array: 'json array',
  object: 'json object',
  any: 'any',
}

function form(call: string, { name, type }: Parameter): string {
  // Of an argument with two names the first is shown.
  const [shown = name] = name.split('|')
  const isText = type === 'string' || call.startsWith('echo')
  return OWN_FORMS[`${call} ${name}`] ?? FORMS[name] ?? (isText ? `"${shown}"` : shown)
}
/** The first line of a help text: what may be left out stands in parentheses. */
function signature({ name, parameters }: Described): string {
  let text = name
  let isOpen = false
  for (const parameter of parameters) {
    const { optional = false } = parameter
    if (optional && !isOpen) text += ' ('
    if (!optional && isOpen) text += ' )'
    isOpen = optional
    text += ` ${form(name, parameter)}`
  }
  return isOpen ? `${text} )` : text
}

/** What the devnet says of one call: its form, what it does, its arguments. Also the answer to a wrong count of arguments. */
export function helpOf(method: Described, summary?: string): string {
  const lines = [signature(method), '']
  if (summary !== undefined) lines.push(summary, '')
  if (method.parameters.length > 0) lines.push('Arguments:')
  for (const [i, { name, type, optional }] of method.parameters.entries()) {
    lines.push(`${i + 1}. ${name} (${KINDS[type]}, ${optional ? 'optional' : 'required'})`)
  }
  return `${lines.join('\n').trimEnd()}\n`
}
/** Every call by group, each with the first line of its help. */
export function overview(methods: ReadonlyMap<string, Described>): string {
  const grouped = new Set(Object.values(GROUPS).flatMap((names) => names.split(' ')))
  const rest = [...methods.keys()].filter((name) => !grouped.has(name) && !HIDDEN.has(name))
  const wallet = rest.filter((name) => !name.startsWith('devnet_')).sort()
  const devnet = rest.filter((name) => name.startsWith('devnet_')).sort()
  const sections = [
    ...Object.entries(GROUPS).map(([title, names]) => [title, names.split(' ')] as const),
    ['Wallet', wallet] as const,
    ['Devnet', devnet] as const,
  ]
  return sections
    .map(([title, names]) => {
      const known = names.flatMap((name) => methods.get(name) ?? [])
      return [`== ${title} ==`, ...known.map(signature)]
    })
    .filter((lines) => lines.length > 1)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}
