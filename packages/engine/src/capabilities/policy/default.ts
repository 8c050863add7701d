import { AssertionError, type Json } from '../../kernel/index.ts'
import type { Policy } from './document.ts'
import { parsePolicy } from './parse.ts'

/**
 * The policy in force until another one is enabled: version 0. It lets small payouts through, asks one person about
 * larger ones and two about very large ones, and ends the day of the whole platform at 20 BTC.
 */
export const DEFAULT_DOCUMENT: Json = {
  name: 'Built in',
  zone: 'UTC',
  limits: [
    { name: 'single', per: 'platform', window: 'single', amount_sat: 1_000_000_000 },
    {
      name: 'user-day',
      per: 'user',
      window: { rolling_minutes: 1440 },
      amount_sat: 200_000_000,
      over: 'hold',
    },
    {
      name: 'platform-day',
      per: 'platform',
      window: { calendar: 'day' },
      amount_sat: 2_000_000_000,
    },
    {
      name: 'platform-month',
      per: 'platform',
      window: { calendar: 'month' },
      amount_sat: 20_000_000_000,
    },
  ],
  rules: [
    { name: 'small', when: { amount_sat: { most: 10_000_000 } }, decision: 'allow' },
    { name: 'larger', when: { amount_sat: { most: 100_000_000 } }, decision: 'hold' },
    {
      name: 'very-large',
      decision: 'hold',
      approvals: { needed: 2 },
      transaction_approvals: { needed: 1 },
    },
  ],
  otherwise: 'deny',
  tests: [
    {
      name: 'a small payout needs nobody',
      request: { amount_sat: 10_000_000 },
      expect: { decision: 'allow', rule: 'small', approvals: 0 },
    },
    {
      name: 'a larger one waits for one person',
      request: { amount_sat: 10_000_001 },
      expect: { decision: 'hold', rule: 'larger', approvals: 1, transaction_approvals: 0 },
    },
    {
      name: 'a very large one waits for two, and for one more who sees the transaction',
      request: { amount_sat: 100_000_001 },
      expect: { decision: 'hold', rule: 'very-large', approvals: 2, transaction_approvals: 1 },
    },
    {
      name: 'nothing above 10 BTC',
      request: { amount_sat: 1_000_000_001 },
      expect: { decision: 'deny', reasons: ['limit/single'] },
    },
    {
      name: 'the day of the platform has an end',
      request: { amount_sat: 1 },
      given: { used: { 'platform-day': { amount_sat: 2_000_000_000 } } },
      expect: { decision: 'deny', reasons: ['limit/platform-day'] },
    },
    {
      name: 'a user who had a lot today waits for a person',
      request: { amount_sat: 5_000_000, user: 'u1' },
      given: { used: { 'user-day': { amount_sat: 199_000_000 } } },
      expect: { decision: 'hold', approvals: 1, reasons: ['limit/user-day'] },
    },
    {
      name: 'what looks unusual waits for a person',
      request: { amount_sat: 5_000_000, user: 'u1' },
      given: { score: 60 },
      expect: { decision: 'hold', approvals: 1 },
    },
  ],
}

let parsed: Policy | undefined

/** The built-in policy, read. */
export function defaultPolicy(): Policy {
  if (parsed) return parsed
  const policy = parsePolicy(DEFAULT_DOCUMENT)
  if (!policy.ok) throw new AssertionError(policy.error.message)
  parsed = policy.value
  return parsed
}
