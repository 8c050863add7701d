import { expect, test } from 'vitest'
import type { WalletId } from '../../kernel/index.ts'
import { EVERYTHING, type EventGrant, matchesType, mayEventBeSeen } from './index.ts'

const ours = 'wal_ours' as WalletId
const READS = [
  'events:read',
  'orders:read',
  'payments:read',
  'wallets:read',
  'chain:read',
  'alerts:read',
  'webhooks:read',
  'keys:read',
]
const without = (scope: string) => READS.filter((one) => one !== scope)
const event = (type: string, wallet?: unknown) =>
  ({ type, data: wallet === undefined ? {} : { wallet } }) as Parameters<typeof mayEventBeSeen>[0]

const all: EventGrant = { scopes: READS }
const limited: EventGrant = { scopes: READS, wallets: [ours] }
const reading = (scope: string, wallets?: WalletId[]): EventGrant => ({
  scopes: ['events:read', scope],
  ...(wallets ? { wallets } : {}),
})

test.each<[string, Parameters<typeof mayEventBeSeen>[0], EventGrant, boolean]>([
  ['an order, all scopes', event('order.created', ours), all, true],
  [
    'an order without orders:read',
    event('order.created', ours),
    { scopes: without('orders:read') },
    false,
  ],
  [
    'an order without events:read',
    event('order.created', ours),
    { scopes: without('events:read') },
    false,
  ],
  [
    'an order with orders:write only',
    event('order.created', ours),
    { scopes: ['events:read', 'orders:write'] },
    false,
  ],
  [
    'a payment',
    event('payment.unmatched', ours),
    { scopes: ['events:read', 'payments:read'] },
    true,
  ],
  [
    'a payment by the scope of orders',
    event('payment.unmatched', ours),
    { scopes: ['events:read', 'orders:read'] },
    false,
  ],
  [
    'a wallet',
    event('wallet.gap_warning', ours),
    { scopes: ['events:read', 'wallets:read'] },
    true,
  ],
  ['the chain', event('chain.reorg'), { scopes: ['events:read', 'chain:read'] }, true],
  ['an alert', event('alert.raised'), { scopes: ['events:read', 'alerts:read'] }, true],
  ['a webhook', event('webhook.paused'), { scopes: ['events:read', 'webhooks:read'] }, true],
  ['a key', event('key.created'), { scopes: ['events:read', 'keys:read'] }, true],
  ['an area nobody named', event('vault.opened', ours), all, false],
  ['an area nobody named, for admin', event('vault.opened', ours), EVERYTHING, true],
  ['a payout without its scope', event('withdrawal.sending', ours), all, false],
  ['a payout', event('withdrawal.sending', ours), reading('withdrawals:read'), true],
  [
    'a payout of another wallet',
    event('withdrawal.sending', 'wal_x'),
    reading('withdrawals:read', [ours]),
    false,
  ],
  ['a consolidation', event('consolidation.planned', ours), reading('withdrawals:read'), true],
  ['a transaction to sign', event('psbt.signed', ours), reading('psbts:read'), true],
  [
    'a transaction to sign, by the scope of payouts',
    event('psbt.signed', ours),
    reading('withdrawals:read'),
    false,
  ],
  ['a policy', event('policy.enabled'), reading('policies:read'), true],
  [
    'a policy, when limited to wallets',
    event('policy.enabled'),
    reading('policies:read', [ours]),
    false,
  ],
  ['a type without a dot', event('order', ours), all, true],
  ['an area of the prototype', event('constructor.x', ours), all, false],
  ['no type at all', event(''), all, false],
  ['a wallet of its own', event('order.created', ours), limited, true],
  ['a foreign wallet', event('order.created', 'wal_theirs'), limited, false],
  ['no wallet', event('alert.raised'), limited, false],
  ['a wallet that is no text', event('order.created', [ours]), limited, false],
  ['the chain, when limited', event('chain.reorg'), limited, true],
  [
    'the chain, when limited, without its scope',
    event('chain.reorg'),
    { ...limited, scopes: without('chain:read') },
    false,
  ],
  ['limited to nothing', event('order.created', ours), { ...limited, wallets: [] }, false],
  [
    'admin limited to a wallet stays so',
    event('order.created', 'wal_theirs'),
    { scopes: ['admin'], wallets: [ours] },
    false,
  ],
  ['admin sees what has no wallet', event('audit.exported'), EVERYTHING, true],
  ['no scope', event('order.created', ours), { scopes: [] }, false],
])('%s', (_, shown, grant, expected) => {
  expect(mayEventBeSeen(shown, grant)).toBe(expected)
})

test.each<[string, string[], boolean]>([
  ['order.created', ['order.created'], true],
  ['order.created', ['order.*'], true],
  ['order.created', ['*'], true],
  ['order.created', ['payment.*', 'order.confirmed'], false],
  ['order.created', ['order'], false],
  ['order.created', ['ord*'], false],
  ['orders.created', ['order.*'], false],
  ['order.created', [], false],
])('%s is meant by %j: %s', (type, patterns, expected) => {
  expect(matchesType(type, patterns)).toBe(expected)
})
