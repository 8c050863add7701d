import type { Registered, WalletInput } from '@kaccy/bitcoin/wallet'
import type { AppParts } from '../parts.ts'
import { walletJson } from '../present/wallets.ts'
import { accept, answer } from '../reply.ts'
import { type Answer, type Route, route } from '../route.ts'
import { ref } from '../schemas/basics.ts'
import { WalletRequest, type WalletRequestBody, WalletSchema } from '../schemas/wallets.ts'
import { needsEverything } from '../seen.ts'

const inputOf = (body: WalletRequestBody): WalletInput => ({
  name: body.name,
  ...(body.descriptor === undefined ? {} : { descriptor: body.descriptor }),
  ...(body.xpub === undefined ? {} : { xpub: body.xpub }),
  ...(body.script_type === undefined ? {} : { scriptType: body.script_type }),
  ...(body.origin === undefined ? {} : { origin: body.origin }),
  ...(body.any_depth === undefined ? {} : { anyDepth: body.any_depth }),
  ...(body.network === undefined ? {} : { network: body.network }),
  ...(body.gap_limit === undefined ? {} : { gapLimit: body.gap_limit }),
  ...(body.lookahead === undefined ? {} : { lookahead: body.lookahead }),
  ...(body.birthday === undefined ? {} : { birthday: body.birthday }),
})

/** 201 for a wallet that is new, 200 for one that was there. */
export const registered = ({ wallet, created }: Registered): Answer =>
  answer(created ? 201 : 200, walletJson(wallet), { location: `/v1/wallets/${wallet.id}` })

/** `POST /v1/wallets`. */
export const registerWallet = ({ engine }: AppParts): Route =>
  route({
    method: 'POST',
    url: '/v1/wallets',
    id: 'registerWallet',
    tag: 'Wallets',
    summary: 'Watch public keys',
    description:
      'Takes a descriptor, or an extended public key of an account. Private keys, keys of another network and damaged keys are refused with the reason. The same keys, name and settings again give the same wallet, with status 200. Not for keys that are limited to wallets.',
    scope: 'wallets:write',
    once: 'around',
    refuses: [
      'WALLET_KEYS_MISSING',
      'WALLET_NETWORK',
      'WALLET_NOT_RANGED',
      'WALLET_KEYS_REGISTERED',
      'WALLET_BIRTHDAY_ABOVE_TIP',
      'KEY_MALFORMED',
      'KEY_CHECKSUM',
      'KEY_VERSION',
      'KEY_LINEAGE',
      'KEY_OFF_CURVE',
      'KEY_PRIVATE',
      'KEY_MULTISIG',
      'KEY_NETWORK',
      'KEY_DEPTH',
      'KEY_SCRIPT_TYPE',
      'KEY_HARDENED',
      'KEY_PATH',
      'KEY_ORIGIN',
      'MULTISIG_INVALID',
      'DESCRIPTOR_INVALID',
      'DESCRIPTOR_CHECKSUM',
      'DESCRIPTOR_UNSUPPORTED',
      'DESCRIPTOR_KEY_TWICE',
    ],
    schemas: { body: WalletRequest, answers: { 200: ref(WalletSchema), 201: ref(WalletSchema) } },
    async handle({ body, principal }) {
      needsEverything(principal)
      return registered(accept(await engine.wallets.register(inputOf(body), principal.actor)))
    },
  })
