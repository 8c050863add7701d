import type { Desk } from '../desk.ts'
import { parseDescriptor } from '../bitcoin/descriptor.ts'
import { SignerFailure } from '../failure.ts'
import type { Home } from '../home/home.ts'
import { DEFAULT_LIMITS, type WalletLimits } from '../home/registry.ts'
import { type Arguments, UsageFailure } from './arguments.ts'
import { originText } from './keys.ts'
import { readLine, type Terminal } from './terminal.ts'

function limitsOf(given: Arguments): WalletLimits {
  const needed = (name: string): number => {
    const value = given.count(name)
    // A limit nobody thought about is no limit.
    if (value === undefined) throw new UsageFailure(`--${name} is missing`)
    return value
  }
  const or = (name: string, otherwise: number) => given.count(name) ?? otherwise
  return {
    max_transaction_sat: needed('max-transaction-sat'),
    max_day_sat: needed('max-day-sat'),
    max_fee_sat: or('max-fee-sat', DEFAULT_LIMITS.max_fee_sat),
    max_fee_rate_sat_kvb: or('max-fee-rate-sat-kvb', DEFAULT_LIMITS.max_fee_rate_sat_kvb),
    min_fee_rate_sat_kvb: or('min-fee-rate-sat-kvb', DEFAULT_LIMITS.min_fee_rate_sat_kvb),
    change_index_max: or('change-index-max', DEFAULT_LIMITS.change_index_max),
    min_approvals: or('min-approvals', DEFAULT_LIMITS.min_approvals),
  }
}

function add(given: Arguments, home: Home, terminal: Terminal): void {
  const name = given.needed('name')
  if (!/^[\w-]{1,40}$/.test(name)) throw new UsageFailure('--name has letters, digits, - and _')
  const file = given.text('descriptor-file')
  const text = file ? readLine(file, terminal) : given.needed('descriptor')
  const { descriptor } = parseDescriptor(text)
  const wallet = { name, descriptor, limits: limitsOf(given) }
  home.save({ ...home.settings, wallets: [...home.settings.wallets, wallet] })
  terminal.write(`${name} is registered: ${descriptor}\n`)
}

function remove(given: Arguments, home: Home, terminal: Terminal): void {
  const name = given.needed('name')
  const wallets = home.settings.wallets.filter((wallet) => wallet.name !== name)
  if (wallets.length === home.settings.wallets.length) {
    throw new SignerFailure(`no wallet ${name} is registered`)
  }
  home.save({ ...home.settings, wallets })
  terminal.write(`${name} is not registered any more\n`)
}

function list(given: Arguments, { wallets }: Home, terminal: Terminal): void {
  if (given.flag('json')) {
    const data = wallets.map(({ name, wallet, own, limits }) => ({
      name,
      descriptor: wallet.descriptor,
      own_keys: own.length,
      limits,
    }))
    terminal.write(`${JSON.stringify(data, undefined, 2)}\n`)
    return
  }
  for (const { name, wallet, own, limits } of wallets) {
    const origins = own.map((at) => {
      const key = wallet.keys[at]
      return key ? originText(key.fingerprint, key.path) : ''
    })
    terminal.write(`${name}\n  ${wallet.descriptor}\n  own keys ${origins.join(' ')}\n`)
    terminal.write(`  ${limits.max_transaction_sat} sat at once, ${limits.max_day_sat} sat a day\n`)
  }
}

/** `kaccy-signer wallets [add|remove]` */
export function wallets(given: Arguments, home: Home, terminal: Terminal): void {
  const [, action = 'list'] = given.words
  if (action === 'add') add(given, home, terminal)
  else if (action === 'remove') remove(given, home, terminal)
  else if (action === 'list') list(given, home, terminal)
  else throw new UsageFailure('wallets list, add or remove')
}

/** `kaccy-signer status` */
export function status(given: Arguments, home: Home, desk: Desk, terminal: Terminal): void {
  const state = {
    network: home.settings.network,
    keys: home.vault.fingerprints,
    receipt_keys: home.settings.receipt_keys,
    records: home.journal.records.length,
    wallets: desk.wallets(),
  }
  if (given.flag('json')) {
    terminal.write(`${JSON.stringify(state, undefined, 2)}\n`)
    return
  }
  terminal.write(`network ${state.network}, keys ${state.keys.join(' ') || 'none'}\n`)
  terminal.write(`journal is whole: ${state.records} records\n`)
  for (const { name, day_sat: day, max_day_sat: max } of state.wallets) {
    terminal.write(`${name}: ${day} of ${max} sat in the last 24 hours\n`)
  }
}
