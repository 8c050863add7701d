import type { AppParts } from '../parts.ts'
import { accept, answer } from '../reply.ts'
import { type Route, route } from '../route.ts'
import { ref, textOf } from '../schemas/basics.ts'
import {
  LabelsRequest,
  LabelsSchema,
  RestoreRequest,
  WalletPath,
  WalletSchema,
} from '../schemas/wallets.ts'
import { needsEverything, seenWallet } from '../seen.ts'
import { registered } from './wallet-register.ts'

const tag = 'Wallets'
/** A label file of 32 million characters, as JSON. */
const FILE_LIMIT = 64 * 1024 * 1024

/** The files of a wallet: its address book (BIP 329), and what finds all of it again. */
export const walletFiles = (parts: AppParts): readonly Route[] => [
  ...labels(parts),
  ...recovery(parts),
]

const labels = ({ engine }: AppParts): readonly Route[] => [
  route({
    method: 'GET',
    url: '/v1/wallets/:wallet/labels',
    id: 'exportLabels',
    tag,
    summary: 'The address book as a label file (BIP 329)',
    scope: 'wallets:read',
    refuses: ['WALLET_NOT_FOUND'],
    schemas: {
      path: WalletPath,
      answers: { 200: textOf('application/jsonl', 'One JSON object a line') },
    },
    async handle({ path, principal }) {
      const id = seenWallet(principal, path.wallet)
      const text = accept(await engine.wallets.exportLabels(id))
      return answer(200, text, { 'content-type': 'application/jsonl; charset=utf-8' })
    },
  }),
  route({
    method: 'POST',
    url: '/v1/wallets/:wallet/labels',
    id: 'importLabels',
    tag,
    summary: 'Take a label file of another wallet',
    description: 'A line that cannot be kept safely is skipped and named; the others are kept.',
    scope: 'wallets:write',
    once: 'around',
    bodyLimit: FILE_LIMIT,
    refuses: ['WALLET_NOT_FOUND', 'WALLET_LABELS_TOO_LARGE'],
    schemas: { path: WalletPath, body: LabelsRequest, answers: { 200: ref(LabelsSchema) } },
    async handle({ path, body, principal }) {
      const id = seenWallet(principal, path.wallet)
      return answer(
        200,
        accept(await engine.wallets.importLabels(id, body.labels, principal.actor)),
      )
    },
  }),
]

const recovery = ({ engine }: AppParts): readonly Route[] => [
  route({
    method: 'GET',
    url: '/v1/wallets/:wallet/recovery',
    id: 'exportRecovery',
    tag,
    summary: 'A file that finds all coins of a wallet again',
    description: 'It holds no private key. That it was read stands in the audit trail.',
    scope: 'wallets:write',
    refuses: ['WALLET_NOT_FOUND'],
    schemas: { path: WalletPath, answers: { 200: textOf('text/plain', 'The recovery file') } },
    async handle({ path, principal }) {
      const id = seenWallet(principal, path.wallet)
      const text = accept(await engine.wallets.exportRecovery(id, principal.actor))
      return answer(200, text, { 'content-type': 'text/plain; charset=utf-8' })
    },
  }),
  route({
    method: 'POST',
    url: '/v1/wallets/restore',
    id: 'restoreWallet',
    tag,
    summary: 'Take up a recovery file',
    description:
      'Registers the wallet, or takes up what the file knows more (status 200). Not for keys that are limited to wallets.',
    scope: 'wallets:write',
    once: 'around',
    bodyLimit: FILE_LIMIT,
    refuses: [
      'WALLET_RECOVERY_INVALID',
      'WALLET_RECOVERY_CHECKSUM',
      'WALLET_RECOVERY_VERSION',
      'WALLET_KEYS_REGISTERED',
      'WALLET_NETWORK',
    ],
    schemas: { body: RestoreRequest, answers: { 200: ref(WalletSchema), 201: ref(WalletSchema) } },
    async handle({ body, principal }) {
      needsEverything(principal)
      const { actor } = principal
      return registered(accept(await engine.wallets.restoreRecovery(body.recovery, actor)))
    },
  }),
]
