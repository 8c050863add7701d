import { INCREMENTAL_FEE_RATE, MIN_RELAY_FEE_RATE } from '../mempool/policy.ts'
import type { Json } from './json.ts'
import { type Method, method, type RpcContext } from './method.ts'
import { settingsOf } from './node.ts'

/** What the devnet says it is: the release whose answers it reproduces. */
export const CORE_VERSION = 280100

const network = (name: string, reachable: boolean): Json => ({
  name,
  limited: !reachable,
  reachable,
  proxy: '',
  proxy_randomize_credentials: false,
})
function networkInfo(context: RpcContext): Json {
  const { regtest } = context
  const peers = regtest.peers.size
  return {
    version: CORE_VERSION,
    subversion: '/Satoshi:28.1.0()/',
    protocolversion: 70016,
    localservices: '0000000000000c09',
    localservicesnames: ['NETWORK', 'WITNESS', 'NETWORK_LIMITED', 'P2P_V2'],
    localrelay: true,
    timeoffset: 0,
    networkactive: settingsOf(context).networkActive,
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
export const controlMethods: readonly Method[] = [
  method('getnetworkinfo', [], networkInfo),
  method('getconnectioncount', [], ({ regtest }) => regtest.peers.size),
  method('getpeerinfo', [], () => []),
  method('getnettotals', [], netTotals),
  method('uptime', [], ({ uptimeMs }) => Math.floor(uptimeMs() / 1000)),
  method('stop', [], ({ stop }) => {
    stop()
    return 'Bitcoin Core stopping'
  }),
]
