import { addressOf, scriptOf } from '../chain/address.ts'
import { toHex } from '../chain/bytes.ts'
import { INCREMENTAL_FEE_RATE, MIN_RELAY_FEE_RATE } from '../mempool/policy.ts'
import { classifyScript } from '../script/script.ts'
import type { Json } from './json.ts'
import { type Method, method, type RpcContext } from './method.ts'

/** What the devnet says it is: the release whose answers it reproduces. */
export const CORE_VERSION = 280100

const network = (name: string, reachable: boolean): Json => ({
  name,
  limited: !reachable,
  reachable,
  proxy: '',
  proxy_randomize_credentials: false,
})
function networkInfo({ regtest }: RpcContext): Json {
  const peers = regtest.peers.size
  return {
    version: CORE_VERSION,
    subversion: '/Satoshi:28.1.0()/',
    protocolversion: 70016,
    localservices: '0000000000000c09',
    localservicesnames: ['NETWORK', 'WITNESS', 'NETWORK_LIMITED', 'P2P_V2'],
    localrelay: true,
    timeoffset: 0,
    networkactive: true,
    connections: peers,
    connections_in: 0,
    connections_out: peers,
    networks: [
      network('ipv4', true),
      network('ipv6', true),
      network('onion', false),
      network('i2p', false),
      network('cjdns', false),
    ],
    relayfee: MIN_RELAY_FEE_RATE,
    incrementalfee: INCREMENTAL_FEE_RATE,
    localaddresses: [],
    warnings: [],
  }
}
function netTotals({ regtest }: RpcContext): Json {
  return {
    totalbytesrecv: 0,
    totalbytessent: 0,
    timemillis: regtest.milliseconds(),
    uploadtarget: {
      timeframe: 86400,
      target: 0,
      target_reached: false,
      serve_historical_blocks: true,
      bytes_left_in_cycle: 0,
      time_left_in_cycle: 0,
    },
  }
}
function validateAddress(_: RpcContext, [address]: readonly unknown[]): Json {
  const text = String(address)
  const script = scriptOf(text)
  if (!script) {
    return {
      isvalid: false,
      error_locations: [],
      error: 'Invalid or unsupported Segwit (Bech32) or Base58 encoding.',
    }
  }
  const form = classifyScript(script)
  const witness = form.version >= 0
  return {
    isvalid: true,
    address: addressOf(script, form) ?? text,
    scriptPubKey: toHex(script),
    isscript:
      form.kind === 'scripthash' ||
      form.kind === 'witness_v0_scripthash' ||
      form.kind === 'witness_v1_taproot',
    iswitness: witness,
    witness_version: witness ? form.version : undefined,
    witness_program: witness ? toHex(form.data) : undefined,
  }
}

export const controlMethods: readonly Method[] = [
  method('getnetworkinfo', [], networkInfo),
  method('getconnectioncount', [], ({ regtest }) => regtest.peers.size),
  method('getpeerinfo', [], () => []),
  method('getnettotals', [], netTotals),
  method('getzmqnotifications', [], () => []),
  method('getindexinfo', ['index_name:string?'], ({ regtest }) => ({
    txindex: { synced: true, best_block_height: regtest.chain.tip.height },
  })),
  method('uptime', [], ({ uptimeMs }) => Math.floor(uptimeMs() / 1000)),
  method('stop', [], ({ stop }) => {
    stop()
    return 'Bitcoin Core stopping'
  }),
  method('validateaddress', ['address:string'], validateAddress),
]
