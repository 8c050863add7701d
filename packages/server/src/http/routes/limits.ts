import { toHex } from '@kaccy/bitcoin/kernel'
import type { LimitUse } from '@kaccy/bitcoin/policy'
import { parseAddress } from '@kaccy/bitcoin/protocol/address'
import type { AppParts } from '../parts.ts'
import { limitUseJson } from '../present/policies.ts'
import type { Principal } from '../principal.ts'
import { accept, answer } from '../reply.ts'
import { type Route, route } from '../route.ts'
import { LimitQuery, LimitUses } from '../schemas/policies.ts'
import { needsEverything, seenWallet } from '../seen.ts'

/** What others use of a limit is nothing for a key that is limited to wallets. */
const isSeen =
  ({ wallets }: Principal) =>
  ({ rule }: LimitUse): boolean =>
    wallets === undefined || rule.per === 'wallet'

export const limitRoutes = ({ engine, network, clock }: AppParts): readonly Route[] => [
  route({
    method: 'GET',
    url: '/v1/limits',
    id: 'listLimits',
    tag: 'Policies',
    summary: 'The limits in force, and what is used of them',
    description:
      'Those of the platform, and of whoever the query names. A key that is limited to wallets names one of them, and sees what counts for that wallet alone.',
    scope: 'policies:read',
    refuses: ['WALLET_NOT_FOUND', 'ADDRESS_INVALID', 'ADDRESS_CHECKSUM', 'ADDRESS_NETWORK'],
    schemas: { query: LimitQuery, answers: { 200: LimitUses } },
    async handle({ query, principal }) {
      const { user, customer, wallet, address } = query
      if (wallet === undefined) needsEverything(principal)
      const destination =
        address === undefined ? undefined : accept(parseAddress(address, network)).script
      const found = await engine.policies.limits({
        ...(user === undefined ? {} : { user }),
        ...(customer === undefined ? {} : { customer }),
        ...(wallet === undefined ? {} : { wallet: seenWallet(principal, wallet) }),
        ...(destination === undefined ? {} : { destination: toHex(destination) }),
        at: clock.now(),
      })
      return answer(200, { data: found.filter(isSeen(principal)).map(limitUseJson) })
    },
  }),
]
