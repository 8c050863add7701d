import { NETWORKS, type Network, type Secret } from '@kaccy/bitcoin/kernel'

/** What a setting is made of, and so how its text is read and shown. */
export type SettingKind = 'text' | 'path' | 'database' | 'integer' | 'flag' | 'list' | 'secret'
export interface Setting<K extends SettingKind = SettingKind> {
  readonly kind: K
  /** One line for `kaccy config` and for help. */
  readonly about: string
  readonly choices?: readonly string[]
  readonly from?: number
  readonly to?: number
  readonly fallback?: string | number | boolean
}

const setting = <K extends SettingKind>(
  kind: K,
  about: string,
  more: Omit<Setting<K>, 'kind' | 'about'> = {},
): Setting<K> => ({ kind, about, ...more })

/**
 * Every setting there is, once: names in the file (`node.url` is `url` in the object `node`), in the environment
 * (`KACCY_NODE_URL`) and on the command line come from here. A secret `x` may stand in a file that `x_file` names.
 */
export const SETTINGS = {
  network: setting('text', 'the chain: main, test, testnet4, signet or regtest', {
    choices: NETWORKS,
  }),
  'node.url': setting('text', 'the RPC address of the Bitcoin node, http:// or https://'),
  'node.cookie_file': setting('path', "the node's cookie file"),
  'node.user': setting('text', 'user of the RPC, instead of a cookie'),
  'node.password': setting('secret', 'password of that user'),
  'node.ca_file': setting('path', 'PEM file of the authority that signed the certificate'),
  'node.pins': setting('list', 'SHA-256 fingerprints of certificates to accept'),
  'node.server_name': setting('text', 'name that the certificate must carry'),
  'node.allow_plain_http': setting('flag', 'danger: send the password unencrypted', {
    fallback: false,
  }),
  'database.url': setting('database', 'a file for SQLite, or postgres://…', {
    fallback: 'kaccy.sqlite',
  }),
  'database.password': setting('secret', 'password of the PostgreSQL user'),
  'chain.poll_ms': setting('integer', 'longest pause between two looks at the node', {
    fallback: 30_000,
    from: 100,
    to: 3_600_000,
  }),
  'chain.stall_ms': setting('integer', 'time without a good look until people are told', {
    fallback: 300_000,
    from: 1_000,
    to: 86_400_000,
  }),
  'chain.blocks_per_commit': setting('integer', 'blocks of a catch-up that share one commit', {
    fallback: 16,
    from: 1,
    to: 1_000,
  }),
  'http.listen': setting('text', 'address and port of the HTTP interface', {
    fallback: '127.0.0.1:8080',
  }),
  'http.public_url': setting('text', 'the address that clients know it by, for links'),
  'http.tls_cert_file': setting(
    'path',
    'PEM file of its certificate chain; read again when it changes',
  ),
  'http.tls_key_file': setting('path', 'PEM file of the private key of that certificate'),
  'http.trusted_proxies': setting('list', 'addresses whose X-Forwarded-For is believed'),
  'http.allowed_addresses': setting('list', 'the only addresses that are served; without it, all'),
  'http.origins': setting(
    'list',
    'web pages that may call from a browser, such as https://shop.example',
  ),
  'http.body_limit': setting('integer', 'largest request body, bytes', {
    fallback: 65_536,
    from: 1_024,
    to: 16_777_216,
  }),
  'http.requests_per_minute_address': setting('integer', 'requests that one address may send', {
    fallback: 1_200,
    from: 1,
    to: 10_000_000,
  }),
  'http.requests_per_minute_key': setting('integer', 'requests that one key may send', {
    fallback: 6_000,
    from: 1,
    to: 10_000_000,
  }),
  'http.wrong_keys_per_minute': setting(
    'integer',
    'keys that one address may get wrong until it has to wait',
    { fallback: 20, from: 1, to: 10_000_000 },
  ),
  'api.url': setting('text', 'a running server that commands ask, instead of the database'),
  'api.key': setting('secret', 'the key that they ask it with'),
  'api.ca_file': setting('path', "PEM file of the authority of that server's certificate"),
  'api.allow_plain_http': setting('flag', 'danger: send the key unencrypted', { fallback: false }),
  'http.metrics_addresses': setting(
    'list',
    'addresses that may read /metrics; without it, those that are not public',
  ),
  'webhooks.allow': setting(
    'list',
    'private ranges that webhooks may lead to, such as 10.1.0.0/16; plain http is fine there',
  ),
  'webhooks.allow_private': setting(
    'flag',
    'danger: webhooks may lead anywhere, also to this machine; for tests',
    { fallback: false },
  ),
  'signer.url': setting(
    'text',
    'the signing process: http://127.0.0.1:7655, or the path of its socket as unix:/run/kaccy/signer.sock',
  ),
  'signer.token': setting('secret', 'the token that it is asked with'),
  'signer.name': setting('text', 'its name, in sessions and the audit trail', {
    fallback: 'signer',
  }),
  'signer.receipt_key': setting(
    'secret',
    'key that policy receipts are signed with: kaccy signer receipt-key makes one',
  ),
  'payouts.poll_ms': setting('integer', 'longest pause between two turns of paying out', {
    fallback: 5_000,
    from: 100,
    to: 3_600_000,
  }),
  'payouts.max_fee_sat': setting('integer', 'a fee above this is refused, whoever asks', {
    fallback: 10_000_000,
    from: 1_000,
    to: 100_000_000,
  }),
  'payouts.max_fee_rate_sat_kvb': setting(
    'integer',
    'a fee rate above this is refused, whoever asks; 1 sat/vB is 1000',
    { fallback: 2_000_000, from: 1_000, to: 100_000_000 },
  ),
  'payouts.fee_share_ppm': setting(
    'integer',
    'what a fee may be of an amount where a request sets no ceiling, parts per million',
    { fallback: 20_000, from: 0, to: 1_000_000 },
  ),
  'payouts.batch_wait_ms': setting(
    'integer',
    'how long requests without hurry wait for others to share a transaction with',
    { fallback: 600_000, from: 0, to: 86_400_000 },
  ),
  'payouts.settle_depth': setting('integer', 'confirmations after which a payout is for good', {
    fallback: 6,
    from: 1,
    to: 1_000,
  }),
  'payouts.own_change': setting(
    'flag',
    'whether change of our own unconfirmed transactions may be spent',
    { fallback: true },
  ),
  'payouts.order': setting('text', 'order of inputs and outputs: random, or bip69', {
    fallback: 'random',
    choices: ['random', 'bip69'],
  }),
  'payouts.merge_addresses': setting(
    'flag',
    'whether several payouts of a batch to one address share an output',
    { fallback: false },
  ),
  'payouts.fixed_fee_rate_sat_kvb': setting(
    'integer',
    'fee rate where the node has no estimate; without it payouts wait then; 1 sat/vB is 1000',
    { from: 1_000, to: 1_000_000 },
  ),
  'payouts.consolidate_coins': setting(
    'integer',
    'a wallet with so many free coins has small ones put together; none: only when somebody asks',
    { from: 2, to: 100_000 },
  ),
  'payouts.consolidate_rate_percent': setting(
    'integer',
    'small coins are put together at so many hundredths of the long-term fee rate or less; none: only when somebody asks',
    { from: 1, to: 100 },
  ),
  'payouts.consolidate_reserve_sat': setting(
    'integer',
    'what the coins that are not put together add up to at least',
    { fallback: 0, from: 0, to: 2_100_000_000_000_000 },
  ),
  'payouts.links_customers': setting(
    'flag',
    'whether deposits of different customers may be put together, for everybody to see',
    { fallback: false },
  ),
  'rates.fixed': setting('list', 'what one bitcoin costs: EUR=57000.00, several with commas'),
  'idempotency.keep_hours': setting('integer', 'how long answers to Idempotency-Keys are kept', {
    fallback: 168,
    from: 24,
    to: 87_600,
  }),
  'checkout.enabled': setting('flag', 'whether payers find a page for each order at /pay/<order>', {
    fallback: true,
  }),
  'checkout.name': setting('text', 'whom payers pay, as the page says it'),
  'checkout.accent': setting('text', 'colour of buttons and marks, #rrggbb'),
  'checkout.radius': setting('integer', 'roundness of corners, pixels', { from: 0, to: 24 }),
  'checkout.font': setting('text', "names of fonts on the payer's device, first choice first"),
  'checkout.logo_file': setting('path', 'PNG, JPEG, WebP or SVG, at most 128 KiB'),
  'checkout.frame_ancestors': setting(
    'list',
    'web pages that may show it in a frame, such as https://shop.example; none, or * for all',
  ),
  'alerts.large_deposit_sat': setting('integer', 'payments from this many satoshi are announced', {
    from: 1,
    to: 2_100_000_000_000_000,
  }),
  operator: setting('text', 'who acts, as the audit trail names them', { fallback: 'cli' }),
  'log.level': setting('text', 'the least important line that is logged', {
    fallback: 'info',
    choices: ['debug', 'info', 'warn', 'error'],
  }),
} as const satisfies Record<string, Setting>

type Settings = typeof SETTINGS
export type SettingKey = keyof Settings
type ValueOfKind<K> = K extends 'integer'
  ? number
  : K extends 'flag'
    ? boolean
    : K extends 'list'
      ? readonly string[]
      : K extends 'secret'
        ? Secret<string>
        : string
/** Settings that always have a value; a test holds the list against the fallbacks above. */
export const ALWAYS = [
  'node.allow_plain_http',
  'database.url',
  'chain.poll_ms',
  'chain.stall_ms',
  'chain.blocks_per_commit',
  'http.listen',
  'http.body_limit',
  'http.requests_per_minute_address',
  'http.requests_per_minute_key',
  'http.wrong_keys_per_minute',
  'api.allow_plain_http',
  'webhooks.allow_private',
  'signer.name',
  'payouts.poll_ms',
  'payouts.max_fee_sat',
  'payouts.max_fee_rate_sat_kvb',
  'payouts.fee_share_ppm',
  'payouts.batch_wait_ms',
  'payouts.settle_depth',
  'payouts.own_change',
  'payouts.order',
  'payouts.merge_addresses',
  'payouts.consolidate_reserve_sat',
  'payouts.links_customers',
  'idempotency.keep_hours',
  'checkout.enabled',
  'operator',
  'log.level',
] as const
type Always = (typeof ALWAYS)[number]

/** The effective configuration: every setting with a fallback has a value. */
export type Config = {
  readonly [K in Exclude<SettingKey, Always | 'network'>]?: ValueOfKind<Settings[K]['kind']>
} & { readonly [K in Always]: ValueOfKind<Settings[K]['kind']> } & { readonly network?: Network }

export const settingKeys = Object.keys(SETTINGS) as readonly SettingKey[]
export const isSettingKey = (key: string): key is SettingKey => Object.hasOwn(SETTINGS, key)
/** `node.url` is `KACCY_NODE_URL` in the environment. */
export const envName = (key: string): string => `KACCY_${key.replaceAll('.', '_').toUpperCase()}`
