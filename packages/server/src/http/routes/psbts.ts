import { type PsbtId, refuse, type WalletId } from '@kaccy/bitcoin/kernel'
import type { Taken } from '@kaccy/bitcoin/signing'
import type { VersionRecord } from '@kaccy/bitcoin/spending'
import { BYTES } from '../bytes-body.ts'
import type { AppParts } from '../parts.ts'
import { psbtJson, sessionJson, takenJson } from '../present/psbts.ts'
import { mayUse } from '../principal.ts'
import { RefusedError } from '../problem.ts'
import { accept, answer, page } from '../reply.ts'
import { type Answer, type Resource, type Route, route } from '../route.ts'
import { limitOf, ref } from '../schemas/basics.ts'
import {
  PsbtAnswer,
  PsbtApproval,
  PsbtList,
  PsbtLook,
  PsbtPath,
  PsbtQuery,
  PsbtSchema,
  SignablePsbtSchema,
  SignaturesRequest,
  SpendSchema,
  TakenSchema,
} from '../schemas/psbts.ts'
import { Reason } from '../schemas/withdrawals.ts'
import { psbtOf } from '../seen-payouts.ts'
import { spendRoutes } from './spends.ts'

const tag = 'Transactions to sign'
/** A PSBT with full previous transactions of a large batch, as base64 in JSON. */
const FILE_LIMIT = 8 * 1024 * 1024

export const psbtResource = (parts: AppParts): Resource => ({
  routes: [
    listPsbts(parts),
    getPsbt(parts),
    addSignatures(parts),
    ...decisions(parts),
    ...spendRoutes(parts),
  ],
  named: [PsbtSchema, SignablePsbtSchema, TakenSchema, SpendSchema],
})

const listPsbts = ({ engine, network }: AppParts): Route =>
  route({
    method: 'GET',
    url: '/v1/psbts',
    id: 'listPsbts',
    tag,
    summary: 'Transactions, newest first, without their bytes',
    scope: 'psbts:read',
    schemas: { query: PsbtQuery, answers: { 200: PsbtList } },
    async handle({ query, principal }) {
      const { wallets } = principal
      const rows = await engine.psbts.list({
        ...(wallets === undefined ? {} : { wallets }),
        ...(query.wallet === undefined ? {} : { wallet: query.wallet as WalletId }),
        ...(query.status === undefined ? {} : { status: query.status }),
        ...(query.after === undefined ? {} : { before: query.after as PsbtId }),
        limit: limitOf(query) + 1,
      })
      const show = (version: VersionRecord) => psbtJson(version, network)
      return answer(
        200,
        page(rows, limitOf(query), show, ({ id }) => id),
      )
    },
  })

/** The first of the two kinds that the caller names; JSON when in doubt. */
function wantsBytes(accept: string): boolean {
  const kinds = accept.split(',').map((kind) => (kind.split(';')[0] ?? '').trim().toLowerCase())
  return kinds.find((kind) => kind === BYTES || kind === 'application/json') === BYTES
}

const getPsbt = ({ engine, network }: AppParts): Route =>
  route({
    method: 'GET',
    url: '/v1/psbts/:psbt',
    id: 'getPsbt',
    tag,
    summary: 'One transaction, with what a signer needs',
    description:
      'To a key with `psbts:sign` its bytes are given out, in `psbt` or alone by `Accept: application/octet-stream`: from then on it counts as shown to a signer, and only a conflicting transaction undoes it. To look without that, give `peek=true`, or use a key with `psbts:read` alone.',
    scope: 'psbts:read',
    refuses: ['PSBT_NOT_FOUND', 'PSBT_NOT_APPROVED', 'PSBT_STATE', 'PSBT_NOT_CURRENT'],
    schemas: { path: PsbtPath, query: PsbtLook, answers: { 200: PsbtAnswer } },
    async handle({ path, query, principal, accept: accepted }) {
      const session = await psbtOf(engine, principal, path.psbt)
      const { id } = session.version
      const maySign = mayUse(principal, 'psbts:sign')
      if (wantsBytes(accepted)) {
        if (!maySign) throw noBytes()
        const { version } = accept(await engine.psbts.offer(id, principal.actor))
        return answer(200, Buffer.from(version.psbt), {
          'content-type': BYTES,
          'content-disposition': `attachment; filename="${id}.psbt"`,
        })
      }
      if (query.peek === true || !maySign) return answer(200, sessionJson(session, network))
      const offered = await engine.psbts.offer(id, principal.actor)
      // Not approved, or past signing: it can be looked at all the same.
      if (!offered.ok) return answer(200, sessionJson(session, network))
      const { version } = offered.value
      return answer(200, sessionJson({ ...session, version }, network, offered.value))
    },
  })

const noBytes = (): RefusedError =>
  new RefusedError(refuse('SCOPE_MISSING', 'the bytes are for keys with psbts:sign').error)

function addSignatures({ engine, network }: AppParts): Route {
  const shown = (taken: Taken): Answer => answer(200, takenJson(taken, network))
  return route({
    method: 'POST',
    url: '/v1/psbts/:psbt/signatures',
    id: 'addSignatures',
    tag,
    summary: 'Bring signatures back',
    description:
      'A PSBT as base64 in JSON, or its bytes as `application/octet-stream`. Every signature is verified against our own transaction; what else the file says counts for nothing.',
    scope: 'psbts:sign',
    once: 'inside',
    bytes: 'psbt',
    bodyLimit: FILE_LIMIT,
    refuses: [
      'PSBT_NOT_FOUND',
      'PSBT_STATE',
      'PSBT_NOT_CURRENT',
      'PSBT_NOT_APPROVED',
      'PSBT_MALFORMED',
      'PSBT_VERSION_UNKNOWN',
      'PSBT_TOO_LARGE',
      'PSBT_DIFFERENT_TRANSACTION',
      'PSBT_CONFLICT',
      'PSBT_INCOMPLETE',
      'PSBT_UNSPENDABLE',
      'SIGNATURE_INVALID',
      'SIGNATURE_FOREIGN',
      'SIGNATURE_SIGHASH',
      'LAST_LOOK_REFUSED',
    ],
    schemas: { path: PsbtPath, body: SignaturesRequest, answers: { 200: ref(TakenSchema) } },
    async handle({ path, body, principal, once }) {
      const { id } = (await psbtOf(engine, principal, path.psbt)).version
      const bytes = bytesOf(body.psbt)
      const added = await engine.psbts.addSignatures(id, bytes, principal.actor, once(shown))
      return shown(accept(added))
    },
  })
}

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
/** @throws RefusedError FIELD_INVALID */
function bytesOf(text: string): Uint8Array {
  const plain = text.replace(/\s+/g, '')
  if (BASE64.test(plain) && plain.length % 4 === 0)
    return new Uint8Array(Buffer.from(plain, 'base64'))
  throw new RefusedError(refuse('FIELD_INVALID', 'psbt is no base64', { param: 'psbt' }).error)
}

function decisions({ engine, network }: AppParts): readonly Route[] {
  const shown = (version: VersionRecord): Answer => answer(200, psbtJson(version, network))
  return [
    route({
      method: 'POST',
      url: '/v1/psbts/:psbt/approve',
      id: 'approvePsbt',
      tag,
      summary: 'Approve an exact transaction',
      description:
        'Bound to its `hash`: a version with another fee or another coin needs approvals of its own.',
      scope: 'withdrawals:approve',
      once: 'inside',
      refuses: [
        'PSBT_NOT_FOUND',
        'PSBT_STATE',
        'PSBT_NOT_CURRENT',
        'APPROVAL_NOT_NEEDED',
        'APPROVER_IS_INITIATOR',
        'APPROVER_REPEATED',
        'APPROVAL_DIGEST_MISMATCH',
        'APPROVER_NOT_ALLOWED',
      ],
      schemas: { path: PsbtPath, body: PsbtApproval, answers: { 200: ref(PsbtSchema) } },
      async handle({ path, body, principal, once }) {
        const { id } = (await psbtOf(engine, principal, path.psbt)).version
        return shown(
          accept(await engine.psbts.approve(id, body.hash, principal.actor, once(shown))),
        )
      },
    }),
    route({
      method: 'POST',
      url: '/v1/psbts/:psbt/reject',
      id: 'rejectPsbt',
      tag,
      summary: 'Turn a transaction down',
      description:
        'Nobody is asked to sign it any more. Its coins are free again only if it was never shown to a signer.',
      scope: 'withdrawals:approve',
      once: 'inside',
      refuses: ['PSBT_NOT_FOUND', 'PSBT_STATE', 'PSBT_NOT_CURRENT'],
      schemas: { path: PsbtPath, body: Reason, answers: { 200: ref(PsbtSchema) } },
      async handle({ path, body, principal, once }) {
        const { id } = (await psbtOf(engine, principal, path.psbt)).version
        return shown(
          accept(await engine.psbts.reject(id, body.reason, principal.actor, once(shown))),
        )
      },
    }),
  ]
}
