import type { Params } from './pair.ts'
import type { Story } from './story.ts'

export type Question = readonly [method: string, params?: Params, wallet?: string]
const NO_HASH = '0'.repeat(64)

const ofChain = ({ blocks, home, descriptors }: Story): Question[] => {
  const tip = blocks.at(-1) ?? NO_HASH
  const scan = ['start', [...descriptors, `addr(${home})`]]
  return [
    ...['getblockchaininfo', 'getblockcount', 'getbestblockhash', 'getdifficulty'],
    ...['getchainstates', 'getchaintips', 'getchaintxstats', 'getdeploymentinfo'],
    ...['getnetworkhashps', 'gettxoutsetinfo', 'getindexinfo', 'getmempoolinfo', 'getrawmempool'],
    ...['getprioritisedtransactions', 'verifychain', 'getconnectioncount', 'getpeerinfo'],
    ...['getnetworkinfo', 'listbanned', 'getaddednodeinfo', 'getnodeaddresses', 'listwallets'],
  ]
    .map((method): Question => [method])
    .concat([
      ['getrawmempool', [true]],
      ['getrawmempool', [false, true]],
      ['gettxoutsetinfo', ['muhash']],
      ['gettxoutsetinfo', ['none']],
      ['getblocktemplate', [{ rules: ['segwit'] }]],
      // After the template: it tells of the last one that this node made.
      ['getmininginfo'],
      ['getchaintxstats', [10, tip]],
      ['scantxoutset', scan],
      ['scanblocks', scan],
      ['estimatesmartfee', [6]],
      ['estimaterawfee', [6]],
    ])
}
const ofBlock = (hash: string): Question[] => [
  ...[0, 1, 2, 3].map((verbosity): Question => ['getblock', [hash, verbosity]]),
  ['getblockheader', [hash]],
  ['getblockheader', [hash, false]],
  ['getblockstats', [hash]],
  ['getblockfilter', [hash]],
  ['getdeploymentinfo', [hash]],
  ['getchaintxstats', [1, hash]],
  ['waitforblock', [hash, 1]],
]
const ofTransaction = (txid: string): Question[] => [
  ...[0, 1, 2].map((verbosity): Question => ['getrawtransaction', [txid, verbosity]]),
  ['gettxout', [txid, 0]],
  ['gettxout', [txid, 1, false]],
  ['getmempoolentry', [txid]],
  ['getmempoolancestors', [txid]],
  ['getmempooldescendants', [txid, true]],
  ['getmempoolancestors', [txid, true]],
  ['getmempooldescendants', [txid]],
  ['gettxspendingprevout', [[{ txid, vout: 0 }]]],
  ['gettxoutproof', [[txid]]],
]
const ofRaw = (hex: string): Question[] => [
  ['decoderawtransaction', [hex]],
  ['testmempoolaccept', [[hex]]],
  ['converttopsbt', [hex, true]],
  ['combinerawtransaction', [[hex, hex]]],
]
const ofPsbt = (psbt: string): Question[] => [
  ['decodepsbt', [psbt]],
  ['analyzepsbt', [psbt]],
  ['combinepsbt', [[psbt, psbt]]],
  ['joinpsbts', [[psbt, psbt]]],
  ['finalizepsbt', [psbt]],
  ['utxoupdatepsbt', [psbt]],
]
const ofWallet = (wallet: string, { txids, addresses, blocks }: Story): Question[] => {
  const plain = ['getwalletinfo', 'getbalance', 'getbalances', 'getunconfirmedbalance']
  const lists = ['listlabels', 'listreceivedbyaddress', 'listreceivedbylabel', 'listtransactions']
  const more = ['listsinceblock', 'listunspent', 'listlockunspent', 'listdescriptors']
  return [
    ...[...plain, ...lists, ...more].map((method): Question => [method, [], wallet]),
    ['listdescriptors', [true], wallet],
    ['listunspent', [0, 9_999_999, [], true], wallet],
    ['listtransactions', ['*', 1000], wallet],
    ['listsinceblock', [blocks.at(-3) ?? NO_HASH], wallet],
    ['listreceivedbyaddress', [0, true, true], wallet],
    ['listreceivedbylabel', [0, true, true], wallet],
    ['getbalance', ['*', 0], wallet],
    ['getaddressesbylabel', ['shop'], wallet],
    ['getaddressesbylabel', ['forms'], wallet],
    ['getreceivedbylabel', ['shop'], wallet],
    ...txids.map((txid): Question => ['gettransaction', [txid, true, true], wallet]),
    ...addresses.map((address): Question => ['getaddressinfo', [address], wallet]),
    ...addresses.map((address): Question => ['getreceivedbyaddress', [address, 0], wallet]),
  ]
}
/** Every call that reads, about everything that the story has made so far. */
export function readings(story: Story): readonly Question[] {
  const { blocks, txids, raws, psbts, addresses, descriptors } = story
  const recent = [...blocks.slice(0, 1), ...blocks.slice(-6)]
  return [
    ...ofChain(story),
    ...recent.flatMap(ofBlock),
    ...txids.flatMap(ofTransaction),
    ...raws.flatMap(ofRaw),
    ...psbts.flatMap(ofPsbt),
    ...addresses.map((address): Question => ['validateaddress', [address]]),
    ...descriptors.map((descriptor): Question => ['getdescriptorinfo', [descriptor]]),
    ...ofWallet('w', story),
    ...ofWallet('watch', story),
  ]
}

const FORMATS = ['.bin', '.hex', '.json', '.x', '']
/** Every REST path about the same, in every format. */
export function restPaths({ blocks, txids }: Story): readonly string[] {
  const hashes = [...blocks.slice(-3), NO_HASH, 'abc']
  const [some = NO_HASH] = blocks
  const [txid = NO_HASH] = txids
  const paths = [
    ...hashes.flatMap((hash) => [
      ...[`block/${hash}`, `block/notxdetails/${hash}`, `headers/${hash}`, `headers/2/${hash}`],
      ...[`blockfilter/basic/${hash}`, `blockfilterheaders/basic/${hash}`],
      ...[`blockfilterheaders/basic/2/${hash}`, `deploymentinfo/${hash}`, `blockfilter/x/${hash}`],
    ]),
    ...[...txids, NO_HASH, 'abc'].map((id) => `tx/${id}`),
    ...['chaininfo', 'mempool/info', 'mempool/contents', 'mempool/x', 'deploymentinfo'],
    ...['getutxos', 'getutxos/checkmempool', 'getutxos/x', `getutxos/${txid}-0/${txid}-1`],
    ...[`getutxos/checkmempool/${txid}-0/${NO_HASH}-1`, `getutxos/${txid}--1`],
    ...['0', '5', '500', '-1', 'x'].map((height) => `blockhashbyheight/${height}`),
    ...['nothing', 'headers/a/b/c', `headers/${some}`, `headers/5/${some}`],
  ]
  const queries = [
    ...['2', '0', '2001', 'x', '%zz'].map((count) => `headers/${some}.hex?count=${count}`),
    ...[
      'verbose=false',
      'verbose=false&mempool_sequence=true',
      'mempool_sequence=true',
      'verbose=x',
    ].map((query) => `mempool/contents.json?${query}`),
    `getutxos/${Array(16).fill(`${txid}-0`).join('/')}.json`,
    `blockfilterheaders/basic/${some}.json?count=3`,
  ]
  return [...paths.flatMap((path) => FORMATS.map((format) => path + format)), ...queries]
}
