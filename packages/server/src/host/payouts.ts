import type { PayoutOptions } from '@kaccy/bitcoin'
import {
  type BitcoindSource,
  createBitcoindBroadcaster,
  createBitcoindMempool,
} from '@kaccy/bitcoin/adapters/bitcoind'
import {
  createHttpSigner,
  type HttpSigner,
  type SignerAddress,
} from '@kaccy/bitcoin/adapters/signer-http'
import { DEFAULT_SPEND_POLICY } from '@kaccy/bitcoin/coins'
import { EngineError, sat, satPerKvB } from '@kaccy/bitcoin/kernel'
import { createReceiptKey } from '@kaccy/bitcoin/signing'
import type { Config } from '../config/settings.ts'
import { readReceiptKey } from './receipt-key.ts'

/** What paying out needs, read from the configuration. @throws EngineError CONFIG_VALUE_INVALID, CONFIG_VALUE_MISSING */
export function payoutsOf(config: Config, source: BitcoindSource): PayoutOptions {
  const signer = signerOf(config)
  const key = config['signer.receipt_key']
  const order = config['payouts.order']
  const fixed = config['payouts.fixed_fee_rate_sat_kvb']
  return {
    broadcaster: createBitcoindBroadcaster(source),
    mempool: createBitcoindMempool(source),
    ...(signer ? { signersOf: () => [signer] } : {}),
    ...(key ? { receiptKey: createReceiptKey(readReceiptKey(key)) } : {}),
    rules: {
      mostFee: sat(BigInt(config['payouts.max_fee_sat'])),
      mostRate: satPerKvB(BigInt(config['payouts.max_fee_rate_sat_kvb'])),
      feePpm: config['payouts.fee_share_ppm'],
    },
    rhythm: { batchWaitMs: config['payouts.batch_wait_ms'] },
    spendPolicy: { ...DEFAULT_SPEND_POLICY, ownChange: config['payouts.own_change'] },
    ...(order === 'bip69' || order === 'random' ? { order } : {}),
    ...(fixed === undefined ? {} : { fixedFeeRate: satPerKvB(BigInt(fixed)) }),
    mergesAddresses: config['payouts.merge_addresses'],
    settleDepth: config['payouts.settle_depth'],
    consolidation: consolidationOf(config),
  }
}

/** Nothing by itself where neither trigger is set. */
function consolidationOf(config: Config): NonNullable<PayoutOptions['consolidation']> {
  const coins = config['payouts.consolidate_coins']
  const ratePercent = config['payouts.consolidate_rate_percent']
  const automatic = {
    ...(coins === undefined ? {} : { coins }),
    ...(ratePercent === undefined ? {} : { ratePercent }),
  }
  return {
    ...(coins === undefined && ratePercent === undefined ? {} : { automatic }),
    reserve: sat(BigInt(config['payouts.consolidate_reserve_sat'])),
    linksCustomers: config['payouts.links_customers'],
  }
}

/** The signing process that the configuration names; undefined where people bring signatures. @throws EngineError CONFIG_VALUE_INVALID, CONFIG_VALUE_MISSING */
export function signerOf(config: Config): HttpSigner | undefined {
  const url = config['signer.url']
  if (url === undefined) return undefined
  const token = config['signer.token']
  if (!token) throw missing('signer.token')
  if (!config['signer.receipt_key']) throw missing('signer.receipt_key')
  return createHttpSigner({ name: config['signer.name'], address: addressOf(url), token })
}

const missing = (param: string): EngineError =>
  new EngineError('CONFIG_VALUE_MISSING', `signer.url is given without ${param}`, {
    details: { param },
  })

const HOSTS: readonly string[] = ['127.0.0.1', '::1', 'localhost']
const DEFAULT_PORT = 7655

/** This machine only: whoever reads the connection could take the token. */
function addressOf(text: string): SignerAddress {
  const socket = /^unix:(\/.+)$/.exec(text)?.[1]
  if (socket !== undefined) return { socket }
  const url = URL.canParse(text) ? new URL(text) : undefined
  const host = url?.hostname.replace(/^\[(.*)\]$/, '$1') ?? ''
  const isPlain = url?.protocol === 'http:' && url.pathname === '/' && url.search === ''
  if (url && isPlain && HOSTS.includes(host))
    return { host: host as '127.0.0.1', port: url.port === '' ? DEFAULT_PORT : Number(url.port) }
  throw new EngineError(
    'CONFIG_VALUE_INVALID',
    'signer.url is neither http://127.0.0.1:7655 nor unix:/path/to/socket: a signer listens on this machine only',
    { details: { param: 'signer.url' } },
  )
}
