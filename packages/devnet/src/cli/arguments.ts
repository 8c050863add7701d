import { type ParseArgsConfig, parseArgs } from 'node:util'
import { scriptOf } from '../chain/address.ts'
import { parseBitcoins } from './amount.ts'

/** A payment of the start: an address and satoshi. */
export interface Funding {
  readonly address: string
  readonly amount: bigint
}
export interface Arguments {
  readonly port: number
  readonly data: string | undefined
  readonly fsync: boolean
  readonly seed: string | undefined
  readonly start: 'funded' | 'genesis' | undefined
  /** Milliseconds since the epoch at which the clock stands. */
  readonly time: number | undefined
  readonly user: string | undefined
  readonly password: string | undefined
  /** Port of the ZeroMQ notifications; 0 takes a free one. */
  readonly zmq: number | undefined
  readonly rest: boolean
  /** Seconds between blocks. */
  readonly blockTime: number | undefined
  readonly fund: readonly Funding[]
  readonly quiet: boolean
  readonly json: boolean
}
export type Parsed =
  | { readonly kind: 'run'; readonly arguments: Arguments }
  | { readonly kind: 'help' | 'version' }
  | { readonly kind: 'wrong'; readonly message: string }

export const HELP = `kaccy-devnet: a Bitcoin regtest node without a daemon, with Bitcoin Core's RPC

usage: kaccy-devnet [options]

  --port <n>              RPC on 127.0.0.1 (default 18443, 0 takes a free one)
  --data <dir>            keep chain, mempool, wallets and clock in this folder
  --fsync                 with --data: wait for the disk at each call (default: survive a kill, not a power cut)
  --seed <text>           another chain (default devnet)
  --start <kind>          funded: 110 blocks and mature coins (default); genesis: height 0
  --time <seconds>        the clock stands at this instant (seconds since 1970); devnet_travel moves it
  --user <name>           of the RPC (default devnet)
  --password <text>       of the RPC (default: a random one; the cookie file works always)
  --zmq [<port>]          publish hashblock, rawblock, hashtx, rawtx and sequence on 127.0.0.1 (default port 28332)
  --no-rest               without /rest/
  --block-time <seconds>  mine a block every so many seconds
  --fund <address=btc>    pay this address when the chain is new, confirmed; may be repeated
  --quiet                 say nothing but failures
  --json                  one JSON object a line
  --version, --help

The powers are RPC calls: devnet_mine, devnet_reorg, devnet_fault and more; \`help\` lists them.
`
const OPTIONS = {
  port: { type: 'string' },
  data: { type: 'string' },
  fsync: { type: 'boolean' },
  seed: { type: 'string' },
  start: { type: 'string' },
  time: { type: 'string' },
  user: { type: 'string' },
  password: { type: 'string' },
  zmq: { type: 'string' },
  'no-rest': { type: 'boolean' },
  'block-time': { type: 'string' },
  fund: { type: 'string', multiple: true },
  quiet: { type: 'boolean' },
  json: { type: 'boolean' },
  version: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies NonNullable<ParseArgsConfig['options']>

/** What is wrong with the command line, as one line for a person. */
class Wrong extends TypeError {}

/** Reads a number that `fits`. */
function number(
  text: string,
  name: string,
  fits: (value: number) => boolean,
  what: string,
): number {
  const value = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && fits(value)) return value
  throw new Wrong(`--${name} is ${what}, not ${text}`)
}
const port = (text: string, name: string): number =>
  number(text, name, (n) => Number.isInteger(n) && n <= 65_535, 'a port from 0 to 65535')

function funding(text: string): Funding {
  const [address = '', amount = '', ...more] = text.split('=')
  const satoshi = parseBitcoins(amount)
  if (!scriptOf(address) || satoshi === undefined || more.length > 0) {
    throw new Wrong(`--fund is <regtest address>=<bitcoins>, not ${text}`)
  }
  return { address, amount: satoshi }
}
/** `--zmq` alone stands for Core's usual port: `parseArgs` knows no optional values. */
function withDefaultPort(args: readonly string[]): string[] {
  return args.flatMap((arg, at) => {
    const bare = arg === '--zmq' && !/^\d+$/.test(args[at + 1] ?? '')
    return bare ? ['--zmq=28332'] : [arg]
  })
}
function given<T>(text: string | undefined, read: (text: string) => T): T | undefined {
  return text === undefined ? undefined : read(text)
}

/** Never throws: what is wrong is told. */
export function readArguments(args: readonly string[]): Parsed {
  try {
    const { values } = parseArgs({ args: withDefaultPort(args), options: OPTIONS })
    if (values.help) return { kind: 'help' }
    if (values.version) return { kind: 'version' }
    const { start } = values
    if (start !== undefined && start !== 'funded' && start !== 'genesis') {
      throw new Wrong(`--start is funded or genesis, not ${start}`)
    }
    if (values.fsync && values.data === undefined) throw new Wrong('--fsync needs --data')
    const seconds = (name: string) => (text: string) =>
      number(text, name, (n) => n > 0 && n < 2 ** 31, 'a number of seconds above 0')
    return {
      kind: 'run',
      arguments: {
        port: given(values.port, (text) => port(text, 'port')) ?? 18_443,
        data: values.data,
        fsync: values.fsync ?? false,
        seed: values.seed,
        start,
        time: given(values.time, (text) => Math.round(seconds('time')(text) * 1000)),
        user: values.user,
        password: values.password,
        zmq: given(values.zmq, (text) => port(text, 'zmq')),
        rest: !values['no-rest'],
        blockTime: given(values['block-time'], seconds('block-time')),
        fund: (values.fund ?? []).map(funding),
        quiet: values.quiet ?? false,
        json: values.json ?? false,
      },
    }
  } catch (error) {
    if (error instanceof TypeError) return { kind: 'wrong', message: firstLine(error.message) }
    throw error
  }
}
const firstLine = (text: string): string => text.split('\n')[0]?.split('. To specify')[0] ?? text
